import { createPrivateKey, createPublicKey } from 'node:crypto';

/** An SSH host key: the private half as an OpenSSH PEM, the public half as one line. */
export interface HostKey {
  privateKey: string;
  publicKey: string;
}

/** DER prefix of a PKCS #8 Ed25519 private key; the 32 bytes of the seed follow (RFC 8410, 7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const keyType = 'ssh-ed25519';

/**
 * The Ed25519 key that a seed of 32 bytes stands for, always the same one, in OpenSSH's format
 * (openssh-portable, PROTOCOL.key). Node writes no such files, and OpenSSH in Debian 12 reads no others for Ed25519.
 *
 * @throws RangeError when the seed is not 32 bytes long.
 */
export function hostKeyFromSeed(seed: Buffer, comment: string): HostKey {
  if (seed.length !== 32) throw new RangeError(`a host key's seed is 32 bytes long, not ${seed.length}`);
  const pair = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const point = createPublicKey(pair).export({ format: 'der', type: 'spki' }).subarray(-32);
  const publicBlob = Buffer.concat([string(keyType), string(point)]);

  // Twice the same number; a random one would tell a wrong passphrase, and there is no passphrase.
  const check = 0;
  const secret = Buffer.concat([
    uint32(check),
    uint32(check),
    publicBlob,
    string(Buffer.concat([seed, point])),
    string(comment),
  ]);
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    uint32(1),
    string(publicBlob),
    string(pad(secret)),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    privateKey: [
      '-----BEGIN OPENSSH PRIVATE KEY-----',
      ...lines,
      '-----END OPENSSH PRIVATE KEY-----',
      '',
    ].join('\n'),
    publicKey: `${keyType} ${publicBlob.toString('base64')} ${comment}`.trimEnd(),
  };
}

/** A length-prefixed string (RFC 4251, 5). */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Filled with 1, 2, 3, … to the cipher's block size, 8 for none. */
function pad(value: Buffer): Buffer {
  const missing = (8 - (value.length % 8)) % 8;
  return Buffer.concat([value, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
}
