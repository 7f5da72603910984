import Table from 'cli-table3';
import type { Inventory, Server } from './vendors';

/** What was made, one line a machine. */
export function workerTable(inventory: Inventory): string {
  const table = new Table({
    head: ['machine', 'type', 'location', 'address', 'DNS name', 'EUR/h'],
    colAligns: ['left', 'left', 'left', 'left', 'left', 'right'],
    style: { head: [], border: [] },
  });
  const servers = [...inventory.servers].sort((a, b) => a.name.localeCompare(b.name));
  for (const server of servers) table.push(row(server, inventory));
  const total = servers.reduce((sum, server) => sum + hourly(server), 0);
  table.push([{ content: 'all machines', colSpan: 5 }, total.toFixed(4)]);
  return table.toString();
}

function row(server: Server, { records }: Inventory): string[] {
  const address = addressOf(server);
  const worker = server.labels['worker-id'];
  const record = records.find(({ name, content }) => content === address && name.split('.')[0] === worker);
  return [
    server.name,
    server.server_type.name,
    server.location.name,
    address,
    record?.name ?? '–',
    hourly(server).toFixed(4),
  ];
}

function addressOf({ public_net, private_net }: Server): string {
  return public_net.ipv4?.ip ?? public_net.ipv6?.ip ?? private_net[0]?.ip ?? '–';
}

function hourly({ server_type, location }: Server): number {
  return Number(
    server_type.prices.find((price) => price.location === location.name)?.price_hourly.gross ?? 0,
  );
}
