import { createReadStream, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { indexPackage, suiteFiles } from './package-index';
import { signAll } from './signing-key';

export { tailscalePackage } from './tailscale-package';

/** A distribution's release that the repository serves, by the names that package repositories use. */
interface Release {
  distribution: string;
  suite: string;
}

export interface PackageRepository {
  /** As this machine reaches it; `port` is for those who see its loopback interface under another address. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** The releases that workers' documents are written for. */
const RELEASES: readonly Release[] = [
  { distribution: 'debian', suite: 'bullseye' },
  { distribution: 'debian', suite: 'bookworm' },
  { distribution: 'debian', suite: 'trixie' },
  { distribution: 'ubuntu', suite: 'jammy' },
  { distribution: 'ubuntu', suite: 'noble' },
  { distribution: 'ubuntu', suite: 'resolute' },
];

/**
 * Serves packages (`.deb` files) on the loopback interface as a vendor does: `<url>/<distribution>` is a repository
 * with the component `main`, `<url>/<distribution>/<suite>.noarmor.gpg` the key that signs it, made for this occasion.
 * @throws CommandError where dpkg-deb or gpg is missing or refuses
 */
export async function startPackageRepository({
  packages,
  at,
}: {
  packages: readonly string[];
  /** The moment that its index bears. */
  at: Date;
}): Promise<PackageRepository> {
  const served = await filesOf(packages, at);
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?', 1)[0] ?? '');
    const found = served.get(path);
    if (found === undefined || !['GET', 'HEAD'].includes(request.method ?? ''))
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    else send(found, response, request.method === 'HEAD');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Everything by its path: content, or the name of a file. */
async function filesOf(packages: readonly string[], at: Date): Promise<Map<string, Buffer | string>> {
  const indexed = await Promise.all(packages.map(indexPackage));
  const indexes = RELEASES.map((release) => ({ release, files: suiteFiles(release, indexed, at) }));
  const { publicKey, clearsigned } = await signAll(
    indexes.map(({ files }) => files.get('Release') ?? Buffer.alloc(0)),
  );
  const served = new Map<string, Buffer | string>();
  for (const [position, { release, files }] of indexes.entries()) {
    const { distribution, suite } = release;
    served.set(`/${distribution}/${suite}.noarmor.gpg`, publicKey);
    served.set(`/${distribution}/dists/${suite}/InRelease`, clearsigned[position] ?? Buffer.alloc(0));
    for (const [path, content] of files) served.set(`/${distribution}/dists/${suite}/${path}`, content);
    for (const { path, file } of indexed) served.set(`/${distribution}/${path}`, file);
  }
  return served;
}

function send(found: Buffer | string, response: ServerResponse, headOnly: boolean): void {
  const length = typeof found === 'string' ? statSync(found).size : found.length;
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  if (headOnly) response.end();
  else if (typeof found === 'string')
    createReadStream(found)
      .on('error', () => response.destroy())
      .pipe(response);
  else response.end(found);
}
