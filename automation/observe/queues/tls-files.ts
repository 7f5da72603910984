import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { checkServerIdentity, type ConnectionOptions, createSecureContext } from 'node:tls';
import type { TlsConfig } from '../../../components/model/queue-config';
import { detailsOf } from './faults';
import { type Place, queueError, quoted } from './place';

/** Node's TLS options, as far as a queue's configuration sets them. */
export type TlsFiles = Pick<ConnectionOptions, 'servername' | 'checkServerIdentity'> & {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
};

/**
 * Reads the certificates at each connect, so that renewed ones are taken up. The name to expect is pinned here, because
 * some clients replace `servername` by the URL's host.
 *
 * @throws QueueError `refused`, where a file is missing or is not what it should be
 */
export async function readTlsFiles(tls: TlsConfig, place: Place, directory: string): Promise<TlsFiles> {
  const pem = async (option: 'caFile' | 'certFile' | 'keyFile') => {
    const file = tls[option];
    if (file === undefined) return undefined;
    const path = isAbsolute(file) ? file : join(directory, file);
    return readFile(path, 'utf8').catch((error: unknown) => {
      const reason = detailsOf(error).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
      throw queueError(place, 'refused', `tls.${option} is ${path}, and ${reason} on this machine.`);
    });
  };
  const ca = await pem('caFile');
  const cert = await pem('certFile');
  const key = await pem('keyFile');
  try {
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({ cert, key });
  } catch (error) {
    throw queueError(
      place,
      'refused',
      `the files of tls do not fit: ${quoted(place, detailsOf(error).message)}. Each must be PEM, the key without a passphrase and of the certificate.`,
    );
  }

  const expected = tls.serverName ?? place.host;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // A server name that is an address is not allowed in TLS (RFC 6066, 3).
    ...(isIP(expected) === 0 ? { servername: expected } : {}),
    checkServerIdentity: (_, certificate) => checkServerIdentity(expected, certificate),
  };
}
