import { utils } from 'ssh2';

/**
 * A new ed25519 key pair in OpenSSH's formats. ssh2 drops the leading zero bytes of a public key, which makes one
 * key of 256 unreadable (https://github.com/mscdex/ssh2, lib/keygen.js), so such a draw is repeated.
 */
export function generateKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = utils.generateKeyPairSync('ed25519');
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
