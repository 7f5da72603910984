import assert from 'node:assert/strict';
import { BootWorld } from './boot-world';
import { type ContainerRegistry, startContainerRegistry } from './container-registry';
import { jobWorker } from './job-worker';
import { BOOT_SECONDS, debianPool, workerOf } from './pools';

const MINUTE = 60_000;
const LOG = '/var/log/cloud-init-output.log';

describe('a worker that boots for real', function () {
  this.timeout(5 * MINUTE);
  let registry: ContainerRegistry;
  let boot: BootWorld;
  let id: string;
  let machine: string;
  let bootSeconds: number;

  before('comes up for the jobs that wait', async function () {
    this.timeout(15 * MINUTE);
    registry = await startContainerRegistry();
    boot = await BootWorld.start((queueUrl) => ({
      config: { machines: { trustedCertificates: [registry.authority] } },
      pools: {
        ci: { ...debianPool, slots: 2, workload: { container: jobWorker('ci', registry.image, queueUrl) } },
      },
    }));
    await boot.addJobs('ci', 5);
    await boot.until('a worker of ci is ready', () => boot.isReady('ci'), BOOT_SECONDS);
    ({ id, machine, bootSeconds } = await workerOf(boot, 'ci'));
  });
  after(async function () {
    this.timeout(2 * MINUTE);
    await boot?.close();
    await registry?.close();
  });

  it('tells where its boot’s time went', async () => {
    const blame = await boot.ssh(machine, 'systemd-analyze blame | head -n 8');
    assert.match(blame, /cloud-final\.service/);
    console.log(`${bootSeconds} s from its creation to its registration, by unit:\n${blame}`);
  });

  it('has its clock right before the first package step', async () => {
    const log = await boot.ssh(machine, `cat ${LOG}`);
    const clock = log.indexOf('worker-pools: clock synchronised');
    const packages = log.search(/worker-pools: \d\d-packages\r?\n/);
    assert.ok(clock >= 0, log);
    assert.ok(packages > clock, log);
    const server = await boot.ssh(machine, 'timedatectl show-timesync -p ServerName --value');
    assert.equal(server.trim(), boot.timeServer);
  });

  it('has the name that the program gave it', async () => {
    const names = await boot.ssh(machine, 'hostname; getent hosts $(hostname) | cut -d" " -f1');
    assert.deepEqual(names.trim().split('\n'), [machine, '127.0.1.1']);
  });

  it('went through cloud-init without an error or a deprecation', async () => {
    const status = await boot.ssh(machine, 'cloud-init status --long');
    assert.match(status, /^status: done$/m);
    assert.doesNotMatch(status, /error|deprecat/i);
    const log = await boot.ssh(machine, 'grep -icE "deprecat|traceback" /var/log/cloud-init.log || true');
    assert.equal(log.trim(), '0');
    assert.match(status, /DataSourceHetzner/);
  });

  it('keeps its user data and keys from everybody but root', async () => {
    const readable = `su nobody -s /bin/sh -c 'find /var/lib/cloud /etc/worker-pools /etc/ssh /run/worker-pools* -type f -readable 2>/dev/null'`;
    const found = (await boot.ssh(machine, `${readable} || true`)).trim().split('\n');
    const secret = /user-data|\/var\/lib\/cloud|\/etc\/worker-pools\/(curl|workload)|host_\w+_key$|\.key$/;
    assert.deepEqual(
      found.filter((path) => secret.test(path)),
      [],
    );
  });

  it('lets nobody but root read the metadata service', async () => {
    const url = 'http://169.254.169.254/hetzner/v1/userdata';
    const fetch = `curl -s -o /dev/null -m 10 -w '%{http_code}' ${url}`;
    assert.equal(await boot.ssh(machine, fetch), '200');
    assert.equal(await boot.ssh(machine, `su nobody -s /bin/sh -c "${fetch}" || true`), '000');
    const inContainer = `docker exec workload psql 'host=169.254.169.254 port=80 connect_timeout=5' 2>&1 || true`;
    assert.match(await boot.ssh(machine, inContainer), /timeout|timed out/);
  });

  it('does the jobs', async () => {
    const done = async (): Promise<boolean> => (await boot.jobs('ci')).every(({ state }) => state === 'done');
    await boot.until('all jobs are done', done, 180);
    const bootId = (await boot.ssh(machine, 'cat /proc/sys/kernel/random/boot_id')).trim();
    assert.deepEqual(new Set((await boot.jobs('ci')).map((job) => job.machine)), new Set([bootId]));
  });

  it('beats, and reads its orders', async () => {
    const before = (await boot.workers('ci'))[0]?.seenAt ?? 0;
    const later = async (): Promise<boolean> => ((await boot.workers('ci'))[0]?.seenAt ?? 0) > before;
    await boot.until('a further beat came', later, 60);
    await boot.scale('ci', 0);
    await boot.until(
      'it is told to drain',
      async () => (await boot.drains(machine)) || boot.isEmpty('ci'),
      120,
    );
  });

  it('is removed, and nothing of it is left', async () => {
    await boot.until('the pool is empty', () => boot.isEmpty('ci'), 180);
    assert.deepEqual(boot.world.servers(), []);
    assert.deepEqual(await boot.workers('ci'), []);
    const kinds = (await boot.explained(id)).map(({ kind }) => kind);
    assert.ok(kinds.includes('decision') && !kinds.includes('worker'), String(kinds));
  });
});
