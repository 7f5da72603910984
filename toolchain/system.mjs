import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

import { execute, which } from './process.mjs';
import { reporting } from './progress.mjs';

/** Programs that tests run, by the Debian package that has them. */
const programs = {
  'cloud-init': 'cloud-init', // checks the documents that machines boot with
  nft: 'nftables', // loads the machines' firewall rules
  shellcheck: 'shellcheck', // reads the machines' scripts
  curl: 'curl', // sends the heartbeat
  'ssh-keygen': 'openssh-client', // reads the host keys
  openssl: 'openssl', // makes the certificates of TLS tests
  'systemd-analyze': 'systemd', // checks the service's unit
  chromium: 'chromium', // opens the status page
  prometheus: 'prometheus', // scrapes the metrics; brings promtool, which checks them
};

/** Installs what tests run and is missing, where apt and root are there. Without them the tests that need it say so. */
export async function ensureTestPrograms({ log, env = process.env, etc = '/etc', uid = userInfo().uid }) {
  const missing = Object.keys(programs).filter((program) => which(program, env) === undefined);
  if (missing.length === 0) return;
  if (which('apt-get', env) === undefined || uid !== 0) {
    log(
      `${missing.join(', ')} not installed, and apt or root is missing here: tests that need them will say so.`,
    );
    return;
  }
  for (const program of missing) quietened[program]?.(etc);
  const packages = missing.map((program) => programs[program]);
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  const failed = await reporting(log, `Installing ${packages.join(', ')} for the tests …`, async () => {
    if ((await execute('apt-get', install, { env: quiet })).code === 0) return undefined;
    await execute('apt-get', ['update', '-qq'], { env: quiet });
    const { code, stderr } = await execute('apt-get', install, { env: quiet });
    return code === 0 ? undefined : stderr.trim();
  });
  if (failed !== undefined) log(`They cannot be installed, tests that need them will say so: ${failed}`);
}

/** Only the command is wanted of these. What is there before the package keeps it from acting on this machine, now and
 *  at its next boots. */
const quietened = {
  'cloud-init': (etc) => {
    mkdirSync(join(etc, 'cloud'), { recursive: true });
    writeFileSync(
      join(etc, 'cloud/cloud-init.disabled'),
      'only the command `cloud-init schema` is used here\n',
    );
  },
  prometheus: (etc) => {
    const units = join(etc, 'systemd/system');
    mkdirSync(units, { recursive: true });
    try {
      symlinkSync('/dev/null', join(units, 'prometheus.service'));
    } catch (error) {
      // Someone has said already what becomes of the service.
      if (error.code !== 'EEXIST') throw error;
    }
  },
};
