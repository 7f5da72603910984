import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultTraefikImage } from '../../cloud-init';
import { HOST_ADDRESS } from '../../sandbox/kernel/guest-network';

const run = promisify(execFile);

/** A mirror of Docker Hub with images that hold a shell and PostgreSQL's client. */
export interface ContainerRegistry {
  url: string;
  /** The image for work, as a machine pulls it. */
  image: string;
  close(): Promise<void>;
}

const WORK = 'acme/jobs:1';
/** By its name, the proxy that pools can ask for; by what it does, a container that is there and nothing else. */
const PROXY = { name: `library/${defaultTraefikImage}`, entrypoint: ['sh', '-c', 'sleep infinity'] };
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const PROGRAMS = ['sh', 'mktemp', 'rm', 'sleep', 'cat'];

/** Serves images made of this machine's own programs to guests. */
export async function startContainerRegistry(): Promise<ContainerRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'container-registry-'));
  try {
    const layer = await makeLayer(folder);
    const blobs = new Map([
      ['/v2/', blobOf(Buffer.from('{}'), 'application/json')],
      ...imageOf(WORK, layer, {}),
      ...imageOf(PROXY.name, layer, { Entrypoint: PROXY.entrypoint }),
    ]);
    const server = createServer((request, response) => {
      // A mirror is told whose images are meant.
      const [path = ''] = (request.url ?? '').split('?');
      const blob = blobs.get(path);
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
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://${HOST_ADDRESS}:${port}`,
      image: WORK,
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
  return { type, data, digest: `sha256:${createHash('sha256').update(data).digest('hex')}` };
}

/** What a registry answers to whom asks for an image of one layer, by path. */
function imageOf(reference: string, layer: Buffer, settings: { Entrypoint?: string[] }): [string, Blob][] {
  const [name = '', tag = ''] = reference.split(':');
  const content = blobOf(layer);
  const config = blobOf(
    json({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['sh'], ...settings },
      rootfs: { type: 'layers', diff_ids: [content.digest] },
    }),
  );
  const part = (mediaType: string, { data, digest }: Blob): object => ({
    mediaType: `application/vnd.docker.${mediaType}`,
    size: data.length,
    digest,
  });
  const manifest = blobOf(
    json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: part('container.image.v1+json', config),
      layers: [part('image.rootfs.diff.tar', content)],
    }),
    MANIFEST,
  );
  return [
    [`/v2/${name}/manifests/${tag}`, manifest],
    [`/v2/${name}/manifests/${manifest.digest}`, manifest],
    [`/v2/${name}/blobs/${config.digest}`, config],
    [`/v2/${name}/blobs/${content.digest}`, content],
  ];
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

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
