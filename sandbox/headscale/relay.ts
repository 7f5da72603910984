import { connect, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { runCommand } from '../kernel/command';

export interface RelayFront {
  port: number;
  close(): Promise<void>;
}

/**
 * Speaks TLS for the relay within headscale: clients speak to relays in no other way, and headscale serves its relay
 * where it serves everything else, in plain HTTP. `target` is asked at each connection.
 */
export async function startRelayFront(folder: string, target: () => number): Promise<RelayFront> {
  const files = { key: join(folder, 'relay-tls.key'), cert: join(folder, 'relay-tls.crt') };
  await runCommand('openssl', [
    ...[
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '365',
    ],
    ...['-subj', '/CN=the local cloud', '-keyout', files.key, '-out', files.cert],
  ]);
  const open = new Set<TLSSocket>();
  const server = createServer({ key: readFileSync(files.key), cert: readFileSync(files.cert) }, (client) => {
    const relay = connect(target(), '127.0.0.1');
    open.add(client);
    const end = (): void => {
      open.delete(client);
      client.destroy();
      relay.destroy();
    };
    for (const side of [client, relay]) side.on('error', end).on('close', end);
    client.pipe(relay).pipe(client);
  });
  // A client that gives up within the handshake is its own affair.
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const client of open) client.destroy();
      await closed;
    },
  };
}
