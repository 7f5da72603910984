import type { Machine } from './machine';
import type { Section } from './section';

/**
 * Synchronises the clock before anything that checks a signature or a certificate.
 *
 * It runs as a boot command, ahead of every package step and on every boot. So early there is no D-Bus, hence no
 * `timedatectl`: timesyncd's flag file tells the same. And chrony's service is ordered after this stage, so waiting
 * for it would never end: chronyd sets the clock once by itself, and the service takes over later.
 */
export function clock({ timeServers = [] }: Pick<Machine, 'timeServers'>): Section {
  return { name: 'clock', bootcmd: (timeServers.length > 0 ? useServers(timeServers) : '') + synchronise };
}

const synchronise = `if command -v chronyd; then
  timeout 60 chronyd -q
else
  timeout 60 sh -c 'systemctl restart systemd-timesyncd && until [ -e /run/systemd/timesync/synchronized ]; do sleep 1; done'
fi >/dev/null && echo "worker-pools: clock synchronised" || echo "worker-pools: clock not synchronised, going on"
`;

/** Written here rather than as files of the document: those come after the boot commands. */
function useServers(servers: string[]): string {
  const chrony = servers.map((server) => `server ${server} iburst\\n`).join('');
  return `mkdir -p /etc/systemd/timesyncd.conf.d
printf '[Time]\\nNTP=${servers.join(' ')}\\n' >/etc/systemd/timesyncd.conf.d/worker-pools.conf
[ ! -d /etc/chrony/sources.d ] || printf '${chrony}' >/etc/chrony/sources.d/worker-pools.sources
`;
}
