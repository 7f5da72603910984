import type { Raw } from '../engine/configs';
import { BOOT_SECONDS, BootWorld } from './boot-world';
import { debianPool, machineOf, workerOf } from './pools';

const MINUTE = 60_000;

/** What goes wrong with a pool's machine, and how that is told by the machine's own log. */
interface Fault {
  title: string;
  pool: string;
  settings?: Raw;
  /** Done to a machine as soon as it has begun with its packages. */
  provoke?: (boot: BootWorld, machine: string) => Promise<void>;
  told: RegExp;
}

const withDocker: Raw = { workload: { docker: true } };

const faults: Fault[] = [
  {
    title: 'for want of disk space',
    pool: 'disk',
    settings: withDocker,
    provoke: async (boot, machine) => {
      const left = '$(($(df --output=avail -B1 / | tail -n 1) - 4096))';
      await boot.sshByAddress(machine, `fallocate -l ${left} /full; true`);
    },
    told: /set-up failed in step \d\d-packages: .*(space|E:)/,
  },
  {
    // No registry of the public ones can be reached from here.
    title: 'by an image that cannot be had',
    pool: 'registry',
    settings: { workload: { traefik: true } },
    told: /set-up failed in step \d\d-traefik: .*(docker|registry|lookup|dial)/i,
  },
  {
    title: 'because its packages cannot be reached',
    pool: 'archive',
    provoke: async (boot, machine) => {
      const hosts = `sed -n 's#^URIs: *[a-z]*://\\([^/:]*\\).*#127.0.0.1 \\1#p' /etc/apt/sources.list.d/debian.sources`;
      await boot.sshByAddress(machine, `${hosts} >>/etc/hosts`);
    },
    told: /set-up failed in step \d\d-packages: .*(onnect|fetch)/,
  },
  {
    title: 'because somebody else has used its key to the tailnet',
    pool: 'key',
    provoke: async (boot, machine) => {
      const key = await boot.sshByAddress(machine, 'cat /run/worker-pools.key');
      await boot.join(key.trim(), 'somebody-else');
    },
    told: /set-up failed in step \d\d-tailscale: .*key/i,
  },
  {
    title: 'because it was started anew in the middle',
    pool: 'restarted',
    settings: withDocker,
    provoke: async (boot, machine) => {
      // By then what the steps before have written is on the disk.
      await said(boot, machine, /Unpacking /);
      await boot.power(machine, 'reset');
    },
    told: /set-up failed in step interrupted/,
  },
];

describe('a machine whose set-up goes wrong', function () {
  this.timeout(25 * MINUTE);
  let boot: BootWorld;
  const begun = new Map<string, Promise<void>>();

  before(async function () {
    // Where nothing is cached yet, this is where the image is made and the tailnet's programs built.
    this.timeout(40 * MINUTE);
    const pools = faults.map(({ pool, settings }) => [pool, { ...debianPool, ...settings }] as const);
    boot = await BootWorld.start(() => ({ pools: Object.fromEntries(pools) }));
  });
  after(() => boot?.close());

  faults.forEach((fault, index) => {
    it(`${fault.title} says so, and is replaced`, async () => {
      const ended = begin(fault);
      // What fetches is tried again after pauses: in them the next one boots.
      const next = faults[index + 1];
      if (next) void begin(next);
      await ended;
    });
  });

  function begin(fault: Fault): Promise<void> {
    const ended = begun.get(fault.pool) ?? explainedAndReplaced(fault);
    begun.set(fault.pool, ended);
    // Its own test tells of a failure.
    ended.catch(() => undefined);
    return ended;
  }

  async function explainedAndReplaced({ pool, provoke, told }: Fault): Promise<void> {
    await boot.addJobs(pool, 1);
    const { id, machine } = await launched(boot, pool);
    if (provoke) {
      await said(boot, machine, /worker-pools: \d\d-packages/);
      await provoke(boot, machine);
    }
    await explained(boot, id, told);
    const another = async (): Promise<boolean> =>
      (await boot.workers(pool)).some((worker) => worker.id !== id);
    await boot.until(`${id} is replaced`, another, 180);
    // Nobody is to be kept waiting by the boot of another one.
    await boot.takeJobsBack(pool);
    for (const worker of await boot.workers(pool)) await boot.power(machineOf(worker.id), 'poweroff');
  }
});

async function launched(boot: BootWorld, pool: string): Promise<{ id: string; machine: string }> {
  await boot.until(`a server of ${pool} is there`, async () => (await boot.workers(pool)).length > 0, 180);
  return workerOf(boot, pool);
}

async function said(boot: BootWorld, machine: string, what: RegExp): Promise<void> {
  await boot.until(`${machine} says ${what}`, () => what.test(boot.console(machine)), BOOT_SECONDS);
}

async function explained(boot: BootWorld, id: string, why: RegExp): Promise<void> {
  const told = async (): Promise<boolean> =>
    (await boot.explained(id)).some(({ kind, summary }) => kind === 'worker' && why.test(summary));
  await boot.until(`${id} says ${why}`, told, BOOT_SECONDS);
}
