import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';

import { execute, which } from './process.mjs';
import { reporting } from './progress.mjs';

/**
 * Installs the Debian package whose `cloud-init schema` checks the documents that workers boot with, where apt and root
 * are there. Without it the tests that need it say so.
 */
export async function ensureCloudInit({ log, env = process.env }) {
  if (which('cloud-init', env) !== undefined) return;
  if (which('apt-get', env) === undefined || userInfo().uid !== 0) {
    log(
      'cloud-init is not installed, and apt or root is missing here: tests that need `cloud-init schema` will say so.',
    );
    return;
  }
  // Only the command is wanted. This file, there before the package, keeps every part of cloud-init from acting on
  // this machine, now and at its next boots.
  mkdirSync('/etc/cloud', { recursive: true });
  writeFileSync('/etc/cloud/cloud-init.disabled', 'only the command `cloud-init schema` is used here\n');
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'cloud-init'];
  const failed = await reporting(log, 'Installing cloud-init, for its schema check …', async () => {
    if ((await execute('apt-get', install, { env: quiet })).code === 0) return undefined;
    await execute('apt-get', ['update', '-qq'], { env: quiet });
    const { code, stderr } = await execute('apt-get', install, { env: quiet });
    return code === 0 ? undefined : stderr.trim();
  });
  if (failed !== undefined) log(`cloud-init cannot be installed, tests that need it will say so: ${failed}`);
}
