import { jobsFolder, runFolder } from './jobs';
import type { Container, Traefik } from './machine';
import { file, programs, quote, settings, type Section } from './section';
import { start } from './steps';

/** Traefik as a container; it routes to containers that ask for it by label. */
export function traefik({ image, ports = { http: 80, https: 443 } }: Traefik): Section {
  return container('traefik', image, 10, [
    '-p',
    `${ports.http}:80`,
    '-p',
    `${ports.https}:443`,
    '-v',
    '/var/run/docker.sock:/var/run/docker.sock:ro',
    image,
    '--providers.docker=true',
    '--providers.docker.exposedbydefault=false',
    '--entrypoints.web.address=:80',
    '--entrypoints.websecure.address=:443',
    '--entrypoints.websecure.http.tls=true',
  ]);
}

/**
 * The workload as a container: its environment from files that only root reads, jobs and drain mounted.
 *
 * Docker's own file format has no way to write a line break, so values with one go through the environment of
 * the command (`-e NAME`); the others do not, because some (DOCKER_HOST) would change what the command does.
 *
 * @throws RangeError for an environment name that is no identifier, or a value with NUL.
 */
export function workload({ image, env, args = [], stopGrace = 30, route }: Container): Section {
  const entries = Object.entries(env);
  for (const [name, value] of entries) {
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new RangeError(`environment name ${JSON.stringify(name)} is no identifier`);
    if (value.includes('\0')) throw new RangeError(`environment variable ${name} contains a NUL character`);
  }
  const lines = entries.filter(([, value]) => !/[\r\n]/.test(value));
  const blocks = entries.filter(([, value]) => /[\r\n]/.test(value));
  const launcher = container(
    'workload',
    image,
    stopGrace,
    [
      '-v',
      `${runFolder}:${runFolder}:ro`,
      '-v',
      `${jobsFolder}:${jobsFolder}`,
      ...(lines.length > 0 ? ['--env-file', envFile] : []),
      ...blocks.flatMap(([name]) => ['-e', name]),
      ...(route ? routeLabels(route).flatMap((label) => ['-l', label]) : []),
      image,
      ...args,
    ],
    blocks.length > 0 ? `. ${exportsFile}\n` : '',
  );
  const files = [
    { path: envFile, lines: lines.map(([name, value]) => `${name}=${value}\n`) },
    { path: exportsFile, lines: blocks.map(([name, value]) => `export ${name}=${quote(value)}\n`) },
  ];
  return {
    ...launcher,
    files: [
      ...(launcher.files ?? []),
      ...files.flatMap(({ path, lines }) => (lines.length > 0 ? [file(path, lines.join(''), '0600')] : [])),
    ],
  };
}

const envFile = `${settings}/workload.env`;
const exportsFile = `${settings}/workload.sh`;

function routeLabels({ host, port }: { host: string; port: number }): string[] {
  return [
    'traefik.enable=true',
    `traefik.http.routers.workload.rule=Host(\`${host}\`)`,
    `traefik.http.services.workload.loadbalancer.server.port=${port}`,
  ];
}

/**
 * A container under systemd. Its output goes to the journal alone, hence no log driver. It is pulled beforehand, so
 * that a failing pull is a failing step. `docker stop` ends it: a signal to `docker run` could leave it running. How it
 * ended is kept in memory, a line each time.
 */
function container(name: string, image: string, stopGrace: number, run: string[], before = ''): Section {
  return {
    name,
    files: [
      file(
        `${programs}/${name}`,
        `#!/bin/sh
docker rm -f ${name} >/dev/null 2>&1
${before}exec docker run --rm --name ${name} --log-driver none ${run.map(quote).join(' ')}
`,
        '0700',
      ),
      file(
        `/etc/systemd/system/worker-pools@${name}.service.d/stop.conf`,
        `[Service]
ExecStop=docker stop -t ${stopGrace} %i
ExecStopPost=sh -c 'echo $EXIT_STATUS >>/run/worker-pools.%i'
TimeoutStopSec=${stopGrace + 10}
`,
      ),
    ],
    step: `try 900 docker pull -q ${quote(image)}\n${start(name)}${startedWell(name)}`,
  };
}

/**
 * A container that cannot be started, or ends with an error again and again, would make a worker that does nothing and
 * counts. Seen twice a second apart, or one good end, is a good start; the third bad end is none.
 */
const startedWell = (name: string): string => `e=/run/worker-pools.${name} i=0
: >>$e
until [ $i = 2 ] || grep -qx 0 $e; do
  [ "$(wc -l <$e)" -lt 3 ] || {
    journalctl -qo cat -n 10 _SYSTEMD_UNIT=worker-pools@${name}.service
    exit 1
  }
  docker ps -qf name=^${name}$ | grep -q . && i=$((i + 1)) || i=0
  sleep 1
done
`;
