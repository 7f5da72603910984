import assert from 'node:assert/strict';
import { generateKeyPair } from '../../../sandbox/machines/host-key';
import type { Machine } from '../../../sandbox/machines/machine';
import { Sshd } from '../../../sandbox/machines/ssh';

describe('the sshd of a machine', () => {
  it('that is stopped in the instant in which it begins to listen keeps nobody waiting', async () => {
    const said: string[] = [];
    const sshd = new Sshd({
      machine: { hostKey: generateKeyPair().private } as Machine,
      admits: () => true,
      neighbour: () => undefined,
      console: () => assert.fail('nobody logs in'),
      log: (line) => said.push(line),
    });
    const listening = sshd.listen('127.0.0.1', 20_178);
    await Promise.all([sshd.close(), listening]);
    assert.deepEqual(said, []);
  });
});
