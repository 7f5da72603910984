import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The only name in the servers' certificate: no address, so that it fits only where the name is given. */
export const SERVER_NAME = 'queue.internal';

export interface Certificates {
  readonly directory: string;
  remove(): Promise<void>;
}

/**
 * A folder with `ca.pem`, `server.pem` and `client.pem` signed by it, each with its `.key`; `other-ca.pem`, which has
 * signed nothing; and `junk.pem`, which is no certificate.
 */
export async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'wp-tls-'));
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory });
  const authority = (name: string) =>
    openssl('req', '-x509', ...newKey(name), '-subj', `/CN=${name}`, '-out', `${name}.pem`, '-days', '2');
  const signed = async (name: string, subject: string) => {
    await openssl('req', ...newKey(name), '-subj', `/CN=${subject}`, '-out', `${name}.csr`);
    await writeFile(join(directory, `${name}.ext`), `subjectAltName=DNS:${subject}\n`);
    const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...ca,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    );
  };
  await authority('ca');
  await authority('other-ca');
  await signed('server', SERVER_NAME);
  await signed('client', 'worker-pools');
  await writeFile(join(directory, 'junk.pem'), 'no certificate at all\n');
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

function newKey(name: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
}
