import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { commandLine, type GuestPlan } from '../../../sandbox/qemu/command-line';

const plan: GuestPlan = {
  serverId: 42,
  image: { disk: '/images/disk.raw', kernel: '/images/vmlinuz', initrd: '/images/initrd' },
  disk: '/guests/42/disk.qcow2',
  accelerator: 'tcg',
  settings: { processors: 2, memoryMegabytes: 1024 },
  clockOffset: 0,
  metadataPort: 4000,
  publicInterface: { mac: '92:00:00:00:00:2a', address: '127.9.0.2', ports: [22, 443] },
  privateInterfaces: [],
  metadataLink: undefined,
  console: '/guests/42/console.log',
};
const NOON = Date.parse('2026-03-01T12:00:00Z');

describe("a guest's command line", () => {
  it('is of the vendor, with the image’s kernel and a disk of its own', () => {
    assert.equal(valueOf(plan, '-smbios'), 'type=1,manufacturer=Hetzner,product=vServer,serial=42');
    assert.equal(valueOf(plan, '-kernel'), '/images/vmlinuz');
    assert.match(valueOf(plan, '-drive'), /^file=\/guests\/42\/disk\.qcow2,/);
    assert.equal(valueOf(plan, '-accel'), 'tcg,thread=multi');
    assert.equal(valueOf({ ...plan, accelerator: 'kvm' }, '-accel'), 'kvm');
  });

  it('is spared what only costs time while it is translated', () => {
    assert.match(valueOf(plan, '-append'), / mitigations=off$/);
    assert.doesNotMatch(valueOf({ ...plan, accelerator: 'kvm' }, '-append'), /mitigations/);
    assert.equal(valueOf({ ...plan, accelerator: 'kvm' }, '-cpu'), 'host');
  });

  it('leads ports of its public address into it, and nothing else', () => {
    const [network] = valuesOf(plan, '-netdev');
    const forwards = [...(network ?? '').matchAll(/hostfwd=([^,]*)/g)].map(([, forward]) => forward);
    assert.deepEqual(forwards, ['tcp:127.9.0.2:22-:22', 'tcp:127.9.0.2:443-:443']);
    const quiet = { ...plan, publicInterface: { mac: '92:00:00:00:00:2a', address: undefined, ports: [22] } };
    assert.doesNotMatch(valuesOf(quiet, '-netdev').join(), /hostfwd/);
  });

  it('gives a machine with private networks only no other interface, and no way out but these', () => {
    const inside = {
      ...plan,
      publicInterface: undefined,
      privateInterfaces: [{ mac: '86:00:00:00:00:02', path: '/guests/42/private0.sock' }],
      metadataLink: '/guests/42/metadata.sock',
    };
    assert.deepEqual(
      valuesOf(inside, '-device').filter((device) => device.startsWith('virtio-net')),
      ['virtio-net-pci,netdev=private0,mac=86:00:00:00:00:02'],
    );
    const user = valuesOf(inside, '-netdev').filter((network) => network.startsWith('user,'));
    assert.equal(user.length, 1);
    assert.match(user[0] ?? '', /,restrict=on,/);
  });

  it('sets the clock wrong where it is told to', () => {
    assert.equal(valueOf(plan, '-rtc'), 'base=utc');
    assert.equal(valueOf({ ...plan, clockOffset: -3600 }, '-rtc'), 'base=2026-03-01T11:00:00');
  });

  it('relays each connection to the metadata service by a process of its own', async () => {
    const server = createServer((request, response) => response.end(`you asked for ${request.url}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const [network] = valuesOf({ ...plan, metadataPort: port }, '-netdev');
      const relay = /guestfwd=tcp:169\.254\.169\.254:80-cmd:([^,]*)/.exec(network ?? '')?.[1];
      const child = spawn('sh', ['-c', relay ?? 'false'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let answer = '';
      child.stdout.on('data', (data: Buffer) => (answer += data.toString()));
      child.stdin.write('GET /hetzner/v1/metadata HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      await once(child, 'close');
      assert.match(answer, /^HTTP\/1\.1 200 [^]*you asked for \/hetzner\/v1\/metadata$/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

function valuesOf(guest: GuestPlan, name: string): string[] {
  const line = commandLine(guest, NOON);
  return line.filter((_, index) => line[index - 1] === name);
}

function valueOf(guest: GuestPlan, name: string): string {
  return valuesOf(guest, name)[0] ?? '';
}
