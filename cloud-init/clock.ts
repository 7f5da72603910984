import type { Machine } from './machine';
import type { Section } from './section';

/**
 * Synchronises the clock before anything that checks a signature or a certificate.
 *
 * It runs as a boot command, ahead of every package step and on every boot. Early in the boot there is no D-Bus
 * (so no `timedatectl`; timesyncd's flag file tells the same) and chrony may not be started yet without waiting
 * for the boot to go on, which waits for us: so chrony sets the clock once by itself instead.
 */
export function clock({ timeServers = [] }: Pick<Machine, 'timeServers'>): Section {
  return { name: 'clock', bootcmd: (timeServers.length > 0 ? useServers(timeServers) : '') + synchronise };
}

const synchronise = `f=/run/systemd/timesync/synchronized
if systemctl -q is-active chrony; then
  systemctl restart chrony
  timeout 70 chronyc waitsync 60 0 0 1
elif command -v chronyd; then
  timeout 70 chronyd -q -t 60
elif timeout 20 systemctl restart systemd-timesyncd; then
  for n in $(seq 60); do
    [ ! -e $f ] || break
    sleep 1
  done
  [ -e $f ]
fi >/dev/null && echo "worker-pools: clock synchronised" ||
  echo "worker-pools: clock not synchronised, going on" >&2
`;

/** Written here rather than as files of the document: those come after the boot commands. */
function useServers(servers: string[]): string {
  const chrony = servers.map((server) => `server ${server} iburst\\n`).join('');
  return `mkdir -p /etc/systemd/timesyncd.conf.d
printf '[Time]\\nNTP=${servers.join(' ')}\\n' >/etc/systemd/timesyncd.conf.d/worker-pools.conf
[ ! -d /etc/chrony/sources.d ] || printf '${chrony}' >/etc/chrony/sources.d/worker-pools.sources
`;
}
