import assert from 'node:assert/strict';
import { requirePrograms } from '../../../sandbox/headscale/programs';

describe('The programs of a real tailnet', () => {
  it('are asked for by the packages that have them, all at once', () => {
    assert.throws(
      () => requirePrograms((program) => program === 'openssl'),
      /^Error: a real tailnet needs dpkg-deb, gpg: install dpkg gnupg \(on Debian: apt-get install dpkg gnupg\)$/,
    );
  });

  it('are not asked for where they are', () => {
    requirePrograms(() => true);
  });
});
