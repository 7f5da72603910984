import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { documentOf, worker as template } from '../../cloud-init/machines';
import { render } from '../../../cloud-init';
import type { Sandbox } from '../../../sandbox/sandbox';
import { createServer as createCloudServer, tailnetKey } from '../control/support';

export interface Post {
  /** `register` or `heartbeat`. */
  what: string;
  worker: string;
  /** As sent. */
  text: string;
  body: Record<string, unknown>;
  authorization: string | undefined;
  /** Virtual seconds since the service was started. */
  at: number;
}

/** A scaling service that writes down what workers say and answers as told. */
export interface Service {
  url: string;
  posts: Post[];
  /** Workers that are told to drain. */
  draining: Set<string>;
  /** What the next posts get instead of an answer, one after the other. */
  trouble: ('drop' | 'silence' | number)[];
  /** Posts in flight at once, per worker: the most there ever were. */
  mostAtOnce: number;
  /** Connections that were ever opened. */
  connections: number;
  close(): Promise<void>;
}

export async function startService(now: () => number): Promise<Service> {
  const started = now();
  const open = new Map<string, number>();
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      const worker = String(body['worker']);
      service.posts.push({
        what: request.url?.split('/').at(-1) ?? '',
        worker,
        text,
        body,
        authorization: request.headers.authorization,
        at: (now() - started) / 1000,
      });
      const atOnce = (open.get(worker) ?? 0) + 1;
      open.set(worker, atOnce);
      response.on('close', () => open.set(worker, (open.get(worker) ?? 1) - 1));
      service.mostAtOnce = Math.max(service.mostAtOnce, atOnce);
      const trouble = service.trouble.shift();
      if (trouble === 'drop') request.socket.destroy();
      else if (typeof trouble === 'number') response.writeHead(trouble).end();
      else if (trouble === undefined) response.end(JSON.stringify({ drain: service.draining.has(worker) }));
    });
  });
  server.on('connection', () => service.connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const service: Service = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts: [],
    draining: new Set(),
    trouble: [],
    mostAtOnce: 0,
    connections: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return service;
}

/** Makes a server whose document speaks to the service, as the product renders it; returns its id. */
export async function addWorker(
  sandbox: Sandbox,
  service: Pick<Service, 'url'>,
  workerId: string,
  more: { pool?: string; slots?: number; labels?: Record<string, string> } = {},
): Promise<number> {
  const { labels, ...machine } = more;
  const document = documentOf({
    ...template,
    ...machine,
    workerId,
    hostname: workerId,
    ssh: { ...template.ssh, port: 2222 },
    tailscale: { ...template.tailscale!, authKey: await tailnetKey(sandbox), tags: ['tag:worker'] },
    service: { url: service.url, token: `token of ${workerId} "\\` },
  });
  const { userData } = render(document);
  const { id } = await createCloudServer(sandbox, workerId, userData, labels ? { labels } : {});
  return id;
}
