import { strict as assert } from 'node:assert';
import { createSocket } from 'node:dgram';
import { parse } from 'yaml';
import { errorsBy, stateBy } from '../../../sandbox/qemu/console';
import { answersOf, serveMetadata } from '../../../sandbox/qemu/metadata';
import { startTimeServer } from '../../../sandbox/qemu/time-server';
import type { ServerStart } from '../../../sandbox/kernel/lifecycle';

const server: ServerStart = {
  serverId: 42,
  projectId: 'default',
  name: 'test-ci-0001',
  image: 'debian-12',
  location: 'ash',
  userData: 'H4sIAAAA',
  sshPublicKeys: ['ssh-ed25519 AAAA one'],
  publicIpv4: '127.9.0.2',
  publicIpv6: undefined,
  privateIps: ['10.20.0.2'],
  freshDisk: true,
};
const network = {
  networkId: 7,
  networkName: 'pools',
  range: '10.20.0.0/16',
  gateway: '10.20.0.1',
  ip: '10.20.0.2',
  aliasIps: [],
  macAddress: '86:00:00:00:00:02',
};

describe('the services around a guest', () => {
  it('tell its metadata in the shape that cloud-init reads', () => {
    const answers = answersOf({ server, firstMac: '92:00:00:00:00:2a', networks: [network] });
    const metadata = parse(answers['/hetzner/v1/metadata'] ?? '') as Record<string, unknown>;
    assert.equal(metadata['instance-id'], 42);
    assert.equal(metadata['hostname'], 'test-ci-0001');
    assert.equal(metadata['region'], 'us-east');
    assert.deepEqual(metadata['network-config'], {
      version: 1,
      config: [
        {
          type: 'physical',
          name: 'eth0',
          mac_address: '92:00:00:00:00:2a',
          subnets: [{ type: 'dhcp', ipv4: true }],
        },
      ],
    });
    const networks = parse(answers['/hetzner/v1/metadata/private-networks'] ?? '') as unknown[];
    assert.deepEqual(networks, [
      {
        ip: '10.20.0.2',
        alias_ips: [],
        interface_num: 1,
        mac_address: '86:00:00:00:00:02',
        network_id: 7,
        network_name: 'pools',
        network: '10.20.0.0/16',
        subnet: '10.20.0.0/16',
        gateway: '10.20.0.1',
      },
    ]);
  });

  it('hand out the user data as the API took it, and nothing where there is none', async () => {
    const facts = { server, firstMac: '92:00:00:00:00:2a', networks: [] };
    const service = await serveMetadata(facts);
    const silent = await serveMetadata({ ...facts, server: { ...server, userData: undefined } });
    try {
      const url = (port: number): string => `http://127.0.0.1:${port}/hetzner/v1/userdata`;
      const answer = await fetch(url(service.port));
      assert.deepEqual([answer.status, await answer.text()], [200, 'H4sIAAAA']);
      assert.equal((await fetch(url(silent.port))).status, 204);
      assert.equal((await fetch(`http://127.0.0.1:${service.port}/latest/meta-data`)).status, 404);
    } finally {
      await service.close();
      await silent.close();
    }
  });

  it('tell the time as NTP does, to clients only', async () => {
    const time = await startTimeServer(() => Date.parse('2026-03-01T12:00:00.500Z'), 0);
    const client = createSocket('udp4');
    try {
      const question = Buffer.alloc(48);
      question.writeUInt32BE(0xcafe, 44);
      const answers: Buffer[] = [];
      const answered = new Promise((resolve) =>
        client.on('message', (answer) => resolve(answers.push(answer))),
      );
      question[0] = (4 << 3) | 4; // a server's answer: nobody answers those
      client.send(question, time.port, '127.0.0.1');
      question[0] = (4 << 3) | 3;
      client.send(question, time.port, '127.0.0.1');
      await answered;
      const [answer = Buffer.alloc(48)] = answers;
      assert.equal(answers.length, 1);
      assert.equal(answer[0], (4 << 3) | 4);
      assert.equal(answer.readUInt32BE(28), 0xcafe);
      assert.equal((answer.readUInt32BE(40) - 2_208_988_800) * 1000, Date.parse('2026-03-01T12:00:00Z'));
      assert.equal(answer.readUInt32BE(44), 2 ** 31);
    } finally {
      client.close();
      await time.close();
    }
  });

  it('read from its console how far it is', () => {
    const running = "Cloud-init v. 22.4.2 running 'modules:config' at …\r\n";
    const finished = 'Cloud-init v. 22.4.2 finished at Sat, 01 Mar 2026 12:00:00 +0000.\r\n';
    const failed = 'worker-pools: 10-packages failed, see above\r\n';
    assert.equal(stateBy('Linux version 6.1.0\r\n'), 'booting');
    assert.equal(stateBy(running), 'cloud-init');
    assert.equal(stateBy(running + failed), 'cloud-init');
    assert.equal(stateBy(running + finished), 'ready');
    assert.equal(stateBy(running + failed + finished), 'failed');
    assert.deepEqual(errorsBy(failed + failed), ['worker-pools: 10-packages failed, see above']);
  });
});
