import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOST_ADDRESS } from '../../sandbox/kernel/guest-network';

const run = promisify(execFile);

/** A registry of one container image, which holds a shell and PostgreSQL's client. */
export interface ContainerRegistry {
  /** The image, as a machine pulls it. */
  image: string;
  /** Certificate of the authority that vouches for the registry. */
  authority: string;
  close(): Promise<void>;
}

const NAME = 'acme/jobs';
const TAG = '1';
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const PROGRAMS = ['sh', 'mktemp', 'rm', 'sleep', 'cat'];

/** Serves an image made of this machine's own programs, by HTTPS, to guests. */
export async function startContainerRegistry(): Promise<ContainerRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'container-registry-'));
  try {
    await makeCertificates(folder);
    const image = await makeImage(folder);
    const server = createServer(
      { cert: readFileSync(join(folder, 'server.pem')), key: readFileSync(join(folder, 'server.key')) },
      (request, response) => {
        const path = request.url ?? '';
        const blob = path === '/v2/' ? image.ping : image.answers.get(path);
        if (!blob) {
          response.writeHead(404).end('{"errors":[{"code":"NOT_FOUND"}]}');
          return;
        }
        response.writeHead(200, {
          'content-type': blob.type,
          'content-length': blob.data.length,
          'docker-content-digest': blob.digest,
          'docker-distribution-api-version': 'registry/2.0',
        });
        response.end(request.method === 'HEAD' ? undefined : blob.data);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      image: `${HOST_ADDRESS}:${port}/${NAME}:${TAG}`,
      authority: readFileSync(join(folder, 'ca.pem'), 'utf8'),
      close: async () => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Blob {
  type: string;
  data: Buffer;
  digest: string;
}

function blobOf(data: Buffer, type = 'application/octet-stream'): Blob {
  return { type, data, digest: digestOf(data) };
}

const digestOf = (data: Buffer): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

async function makeImage(folder: string): Promise<{ ping: Blob; answers: Map<string, Blob> }> {
  const layer = await makeLayer(folder);
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['sh'] },
        rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      }),
    ),
  );
  const content = blobOf(layer);
  const manifest = blobOf(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          size: config.data.length,
          digest: config.digest,
        },
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
            size: layer.length,
            digest: content.digest,
          },
        ],
      }),
    ),
    MANIFEST,
  );
  const base = `/v2/${NAME}`;
  return {
    ping: blobOf(Buffer.from('{}'), 'application/json'),
    answers: new Map([
      [`${base}/manifests/${TAG}`, manifest],
      [`${base}/manifests/${manifest.digest}`, manifest],
      [`${base}/blobs/${config.digest}`, config],
      [`${base}/blobs/${content.digest}`, content],
    ]),
  };
}

/** The programs with their libraries, at the places where they are on this machine. */
async function makeLayer(folder: string): Promise<Buffer> {
  const { stdout: bin } = await run('pg_config', ['--bindir']);
  const programs = PROGRAMS.map((program) => `/usr/bin/${program}`);
  const psql = join(bin.trim(), 'psql');
  const needed = new Set<string>();
  for (const program of [...programs, psql]) {
    const { stdout } = await run('ldd', [program]);
    for (const [path] of stdout.matchAll(/\/\S+(?= \()/g)) needed.add(path);
  }
  const root = join(folder, 'root');
  const copy = async (from: string, to: string): Promise<void> => {
    await run('install', ['-D', '-m', '755', realpathSync(from), join(root, to)]);
  };
  for (const program of programs) await copy(program, program);
  await copy(psql, '/usr/bin/psql');
  for (const library of needed) await copy(library, library);
  await run('mkdir', ['-p', join(root, 'tmp')]);
  const layer = join(folder, 'layer.tar');
  await run('tar', ['--sort=name', '--owner=0', '--group=0', '--mtime=@0', '-cf', layer, '-C', root, '.']);
  return readFileSync(layer);
}

async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const key = (name: string): string[] => [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-nodes', '-keyout', `${name}.key`],
  ];
  await openssl('req', '-x509', ...key('ca'), '-subj', '/CN=boot-tests', '-days', '2', '-out', 'ca.pem');
  await openssl('req', ...key('server'), '-subj', `/CN=${HOST_ADDRESS}`, '-out', 'server.csr');
  writeFileSync(join(folder, 'server.ext'), `subjectAltName=IP:${HOST_ADDRESS}\n`);
  await openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'server.ext', '-out', 'server.pem'],
  );
}
