import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';

import { execute, which } from './process.mjs';
import { reporting } from './progress.mjs';

/** Programs that tests run, by the Debian package that has them. */
const programs = {
  'cloud-init': 'cloud-init', // checks the documents that machines boot with
  nft: 'nftables', // loads the machines' firewall rules
  shellcheck: 'shellcheck', // reads the machines' scripts
  curl: 'curl', // sends the heartbeat
  'ssh-keygen': 'openssh-client', // reads the host keys
};

/** Installs what tests run and is missing, where apt and root are there. Without them the tests that need it say so. */
export async function ensureTestPrograms({ log, env = process.env }) {
  const missing = Object.keys(programs).filter((program) => which(program, env) === undefined);
  if (missing.length === 0) return;
  if (which('apt-get', env) === undefined || userInfo().uid !== 0) {
    log(
      `${missing.join(', ')} not installed, and apt or root is missing here: tests that need them will say so.`,
    );
    return;
  }
  // Of cloud-init only the command is wanted. This file, there before the package, keeps every part of it from acting
  // on this machine, now and at its next boots.
  mkdirSync('/etc/cloud', { recursive: true });
  writeFileSync('/etc/cloud/cloud-init.disabled', 'only the command `cloud-init schema` is used here\n');
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
