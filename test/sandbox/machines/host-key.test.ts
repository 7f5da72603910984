import assert from 'node:assert/strict';
import { utils } from 'ssh2';
import { generateKeyPair } from '../../../sandbox/machines/host-key';

describe('a generated host key', () => {
  it('can always be read: one in 256 of ssh2’s own could not', () => {
    for (let draw = 0; draw < 1500; draw++)
      assert.ok(!(utils.parseKey(generateKeyPair().private) instanceof Error), `draw ${draw}`);
  });
});
