import type { OperatingSystem } from './machine';
import { file, type Section } from './section';

/**
 * Docker from the distribution: no further repository to fetch and index, smaller, and on a mirror next to the
 * machine. The `local` log driver keeps the disk from filling with container logs.
 */
export function docker({ suite }: OperatingSystem): Section {
  const clientIsSeparate = suite === 'trixie';
  return {
    name: 'docker',
    packages: ['docker.io', ...(clientIsSeparate ? ['docker-cli'] : [])],
    files: [file('/etc/docker/daemon.json', '{"log-driver":"local"}\n')],
  };
}
