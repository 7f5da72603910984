import type { WorkerMachine } from './machine';
import { file, type Section } from './section';

/**
 * Docker from the distribution: no further repository to fetch and index, smaller, and on a mirror next to the
 * machine. The `local` log driver keeps the disk from filling with container logs. Where the kernel has AppArmor, no
 * container starts without AppArmor's programs, which the package only recommends.
 */
export function docker({ os, registryMirrors: mirrors = [] }: DockerHost): Section {
  const clientIsSeparate = os.suite === 'trixie';
  const daemon = {
    'log-driver': 'local',
    ...(mirrors.length > 0 && { 'registry-mirrors': mirrors }),
  };
  return {
    name: 'docker',
    packages: ['apparmor', 'docker.io', ...(clientIsSeparate ? ['docker-cli'] : [])],
    files: [file('/etc/docker/daemon.json', `${JSON.stringify(daemon)}\n`)],
  };
}

type DockerHost = Pick<WorkerMachine, 'os' | 'registryMirrors'>;
