import assert from 'node:assert/strict';
import { BOOT_SECONDS, BootWorld, NAT_MACHINE } from './boot-world';
import { type ContainerRegistry, startContainerRegistry } from './container-registry';
import { allPools, workerOf } from './pools';

const MINUTE = 60_000;
const HOUR = 3600;
const LOG = '/var/log/cloud-init-output.log';

/** Pools whose workers go the whole way from a job that waits to nothing left. A further image is a further row. */
const rows = [
  { title: 'of Debian 12, behind Traefik', pool: 'proxied' },
  { title: 'without a public address, behind a NAT machine', pool: 'inside' },
  { title: 'of Debian 13, with a newer cloud-init and a clock that is an hour behind', pool: 'newer' },
];

describe('workers that boot for real', function () {
  this.timeout(5 * MINUTE);
  let registry: ContainerRegistry;
  let boot: BootWorld;

  before('the stack is up, its NAT machine too', async function () {
    // Where nothing is cached yet, this is where images are made and the tailnet's programs built.
    this.timeout(40 * MINUTE);
    registry = await startContainerRegistry();
    boot = await BootWorld.start((queueUrl) => allPools(registry, queueUrl), {
      guests: { clockOffsetSeconds: { 'sandbox-newer-0001': -HOUR } },
    });
  });
  after(async function () {
    this.timeout(2 * MINUTE);
    await boot?.close();
    await registry?.close();
  });

  /** Makes jobs wait for a pool's workers, once. */
  async function callFor(row: { pool: string } | undefined): Promise<void> {
    if (row && (await boot.jobs(row.pool)).length === 0) await boot.addJobs(row.pool, 5);
  }

  rows.forEach(({ title, pool }, index) => {
    describe(title, () => {
      let id: string;
      let machine: string;

      before('come up for jobs that wait', async function () {
        this.timeout(22 * MINUTE);
        await callFor(rows[index]);
        await boot.until(`a worker of ${pool} is ready`, () => boot.isReady(pool), BOOT_SECONDS);
        // The next one boots while this one is looked at. Two that boot side by side take as long as one after the other.
        await callFor(rows[index + 1]);
        ({ id, machine } = await workerOf(boot, pool));
      });

      it('have their clock right before the first package step', async () => {
        const log = await boot.ssh(machine, `cat ${LOG}`);
        const clock = log.indexOf('worker-pools: clock synchronised');
        const packages = log.search(/worker-pools: \d\d-packages\r?\n/);
        assert.ok(clock >= 0, log);
        assert.ok(packages > clock, log);
        const server = await boot.ssh(machine, 'timedatectl show-timesync -p ServerName --value');
        assert.equal(server.trim(), boot.timeServer);
        const behind = Date.now() / 1000 - Number(await boot.ssh(machine, 'date +%s'));
        assert.ok(Math.abs(behind) < 60, `${behind} s`);
      });

      it('have the name that the program gave them', async () => {
        const names = await boot.ssh(machine, 'hostname; getent hosts $(hostname) | cut -d" " -f1');
        assert.deepEqual(names.trim().split('\n'), [machine, '127.0.1.1']);
      });

      it('are devices with their tag, reached by SSH over the tailnet by name and under their own host key', async () => {
        assert.deepEqual(await boot.devices(machine), [['tag:worker']]);
        assert.equal((await boot.ssh(machine, 'hostname')).trim(), machine);
      });

      it('have told the service their tailnet address, and used their key up', async () => {
        const address = (await boot.ssh(machine, 'tailscale ip -1')).trim();
        assert.equal((await boot.workers(pool))[0]?.address, address);
        assert.match(await boot.ssh(machine, 'ls /run/worker-pools.key 2>&1 || true'), /No such file/);
      });

      it('went through cloud-init without an error or a deprecation', async () => {
        const status = await boot.ssh(machine, 'cloud-init status --long || true');
        assert.match(status, /^status: done$/m);
        assert.match(status, /DataSourceHetzner/);
        assert.doesNotMatch(status, /degraded|deprecat|WARNING|^errors:(?! \[\])/im);
        const log = await boot.ssh(machine, 'grep -icE "deprecat|traceback" /var/log/cloud-init.log || true');
        assert.equal(log.trim(), '0');
      });

      it('keep their user data and keys from everybody but root', async () => {
        const readable = `su nobody -s /bin/sh -c 'find /var/lib/cloud /etc/worker-pools /etc/ssh /run/worker-pools* -type f -readable 2>/dev/null'`;
        const found = (await boot.ssh(machine, `${readable} || true`)).trim().split('\n');
        const secret =
          /user-data|\/var\/lib\/cloud|\/etc\/worker-pools\/(curl|workload)|host_\w+_key$|\.key$/;
        assert.deepEqual(
          found.filter((path) => secret.test(path)),
          [],
        );
      });

      it('let nobody but root read the metadata service', async () => {
        const url = 'http://169.254.169.254/hetzner/v1';
        const fetch = `curl -s -o /dev/null -m 10 -w '%{http_code}' ${url}/userdata`;
        assert.equal(await boot.ssh(machine, fetch), '200');
        assert.equal(await boot.ssh(machine, `su nobody -s /bin/sh -c "${fetch}" || true`), '000');
        const inContainer = `docker exec workload psql 'host=169.254.169.254 port=80 user=root connect_timeout=5' 2>&1 || true`;
        assert.match(await boot.ssh(machine, inContainer), /timeout|timed out/);
        assert.equal(await boot.ssh(machine, `curl -s -m 20 ${url}/metadata/hostname`), machine);
      });

      it('do the jobs', async () => {
        const done = async (): Promise<boolean> =>
          (await boot.jobs(pool)).every(({ state }) => state === 'done');
        await boot.until('all jobs are done', done, 180);
        const bootId = (await boot.ssh(machine, 'cat /proc/sys/kernel/random/boot_id')).trim();
        const machines = (await boot.jobs(pool)).map((job) => job.machine);
        assert.deepEqual(new Set(machines), new Set([bootId]));
      });

      if (pool === 'proxied')
        it('have Traefik in front of their containers', async () => {
          const running = `systemctl is-active worker-pools@traefik; docker ps --filter name=traefik --format '{{.Image}} {{.Ports}}'`;
          assert.match(
            await boot.ssh(machine, running),
            /^active\ntraefik:v[\d.]+ 0\.0\.0\.0:80->80\/tcp.*0\.0\.0\.0:443->443/,
          );
        });

      if (pool === 'inside')
        it('got their packages and registered through the NAT machine', async () => {
          const log = await boot.ssh(machine, `cat ${LOG}`);
          assert.match(log, /worker-pools: route: 10\.20\.0\.1 forwards/);
          assert.ok(log.indexOf('forwards') < log.indexOf('worker-pools: clock synchronised'), log);
          const routes = await boot.ssh(machine, 'ip -4 route show default');
          assert.match(routes, /^default via 10\.20\.0\.1 dev eth0 onlink/m);
          const translated = await boot.ssh(NAT_MACHINE, 'nft list table inet worker_pools');
          assert.match(translated, /ip saddr 10\.20\.0\.0\/16 ip daddr != 10\.20\.0\.0\/16 masquerade/);
        });

      it('beat, and read their orders', async () => {
        const before = (await boot.workers(pool))[0]?.seenAt ?? 0;
        const later = async (): Promise<boolean> => ((await boot.workers(pool))[0]?.seenAt ?? 0) > before;
        await boot.until('a further beat came', later, 60);
        const drained = boot.ssh(
          machine,
          'until [ -e /run/worker-pools/drain ]; do sleep 0.2; done; echo told',
        );
        await boot.scale(pool, 0);
        assert.equal((await drained).trim(), 'told');
      });

      it('are removed, and nothing of them is left', async () => {
        await boot.until('the pool is empty', () => boot.isEmpty(pool), 180);
        assert.ok(!boot.world.servers().includes(machine));
        const kinds = (await boot.explained(id)).map(({ kind }) => kind);
        assert.ok(kinds.includes('decision') && !kinds.includes('worker'), String(kinds));
      });

      it('are off the tailnet', async () => {
        const gone = async (): Promise<boolean> => (await boot.devices(machine)).length === 0;
        // The control server writes to its clients once a minute, and finds out by this who is gone without a word.
        await boot.until('its device is gone', gone, 180);
      });
    });
  });

  describe('of every kind', () => {
    it('leave no server but the NAT machine', () => assert.deepEqual(boot.world.servers(), [NAT_MACHINE]));
  });
});
