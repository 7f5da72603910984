import type { Membership } from '../../components/model/membership';
import { CONFIG_HASH_VERSION } from '../../components/model/worker-machine';
import type { Alarm, PoolFacts, StackObservation, StackPolicy } from '../decide/stack-types';
import type { RegisteredWorker, Registry } from '../registry/types';
import { monthSpend, monthStart } from '../spend';
import type { StackSettings } from '../stack-file';
import { stackPolicy } from '../stack-policy';
import type { StackStatus } from '../status';
import type { Term } from '../term';
import { catalogueMaxAge, nextListAt } from './cadence';
import { type Catalogue, priceOfWorker, pricedPlacements } from './catalogue';
import type { WorkerList } from './cloud';
import { deprecationsInUse } from './deprecations';
import { type FleetFacts, type FleetMemory, type FleetView, NO_MEMORY, viewFleet } from './fleet';
import { Latest } from './latest';
import type { QueueReadings, QueueState } from './queue-readings';
import type { ListedDevice } from './tailnet';
import type { CloudServer, Dated, WorkerView } from './types';
import { openVendors, type Vendors } from './vendors';

/** All that one round goes by. */
export interface Sight {
  readonly settings: StackSettings;
  readonly observation: StackObservation;
  readonly policy: StackPolicy;
  readonly workers: readonly WorkerView[];
  /** Servers of ours by label that are no members. */
  readonly strangers: readonly CloudServer[];
  readonly servers: Dated<CloudServer> | undefined;
  readonly devices: Dated<ListedDevice> | undefined;
  readonly queues: ReadonlyMap<string, QueueState>;
  readonly api: StackStatus['api'];
  readonly deprecations: StackStatus['deprecations'];
  /** What could not be seen. */
  readonly alarms: readonly Alarm[];
}

/** The vendor has said nothing yet: without prices and server types nothing can be decided. */
export class NothingSeenError extends Error {
  override name = 'NothingSeenError';
}

export interface ObserverParts {
  readonly environment: string;
  readonly registry: Registry;
  readonly queues: QueueReadings;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Seconds between two rounds. */
  readonly tick: number;
}

/** The device list is asked for again where a worker that is up is not in it, but not more often than this, seconds. */
const DEVICE_INTERVAL = 30;
/** Failing for longer than this is told to a person, seconds. */
const TOLD_AFTER = 180;

/** Looks at a stack from all sides: registry, queues, vendors. Only reads. */
export class Observer {
  private opened: { key: string; vendors: Vendors } | undefined;
  private readonly servers = new Latest<WorkerList>();
  private readonly devices = new Latest<Dated<ListedDevice>>();
  private readonly catalogue = new Latest<Catalogue>();
  private fleetMemory: FleetMemory = NO_MEMORY;
  private bookedAt: number | undefined;
  private activity = { booting: 0, leaving: 0, suspects: 0 };

  constructor(private readonly parts: ObserverParts) {}

  /** The vendors, opened anew when the file names other credentials. */
  vendors(settings: StackSettings): Vendors {
    const key = JSON.stringify([settings.credentials, settings.config.access]);
    if (this.opened?.key !== key) {
      this.opened = { key, vendors: openVendors(this.parts.environment, settings, this.parts.now) };
    }
    return this.opened.vendors;
  }

  /**
   * @param launching the decision before wants to launch: what is sold out is read anew where it is old
   * @throws NothingSeenError
   */
  async look(term: Term, settings: StackSettings, { launching }: { launching: boolean }): Promise<Sight> {
    const { registry, environment, queues, now } = this.parts;
    const vendors = this.vendors(settings);
    await this.askVendors(vendors, settings, launching);
    if (!this.catalogue.value) throw new NothingSeenError(reasonOf(this.catalogue.error));
    const catalogue = this.catalogue.value;

    const [states, registered, failedSteps, orders, served, held, intent] = await Promise.all([
      queues.read(settings.config.pools),
      registry.workers.list(environment),
      registry.workers.failedSteps(environment),
      registry.orders.read(environment),
      registry.workers.served(environment, term.decidedAt),
      registry.slots.load(environment, term.decidedAt),
      registry.intents.open(environment),
    ]);
    const membership = withoutFailed(intent?.membership ?? term.record.membership, term.failed);
    const fleet = this.viewFleet(term, settings, catalogue, membership, {
      registered: withHeldSlots(registered, held),
      failedSteps,
    });
    const spentThisMonth = await this.followSpending(fleet.workers, catalogue);
    this.activity = activityOf(fleet);
    await this.askForDevices(vendors, fleet.workers);

    const at = now();
    const allowance = vendors.meter.allowance(at);
    return {
      settings,
      observation: {
        now: at,
        pools: Object.fromEntries(
          Object.keys(settings.config.pools).map((name): [string, PoolFacts] => {
            const workers = fleet.workers.filter(({ pool }) => pool === name);
            return [
              name,
              {
                ...queueOf(states.get(name)),
                workers,
                served: served.filter(({ pool }) => pool === name).map(({ seconds }) => seconds),
                ...(held[name] ? { waits: held[name].waits } : {}),
                booted: bootsSince(workers, term.decidedAt),
                failures: term.news[name]?.failures ?? [],
                launched: term.news[name]?.launched ?? [],
              },
            ];
          }),
        ),
        ...(allowance ? { api: allowance } : {}),
        ...(spentThisMonth === undefined ? {} : { spentThisMonth }),
        gatewayHourly: this.gatewayHourly(catalogue),
        orders,
        listeningSince: term.since,
      },
      policy: stackPolicy(
        settings.config,
        (pool) => pricedPlacements(settings.config.pools[pool]!, catalogue, at).placements,
        this.parts.tick,
      ),
      workers: fleet.workers,
      strangers: fleet.strangers,
      servers: this.servers.value,
      devices: this.devices.value,
      queues: states,
      api: allowance && { ...allowance, resetAt: vendors.meter.resetAt ?? at },
      deprecations: deprecationsInUse(
        settings.config,
        fleet.workers.map(({ member }) => member),
        catalogue,
        at,
      ),
      alarms: this.alarms(settings, catalogue, at),
    };
  }

  /** Whether launches would go by an old catalogue although there is a choice. */
  needsFreshCatalogue(placements: number): boolean {
    const at = this.catalogue.value?.at;
    return at === undefined || this.parts.now() - at > catalogueMaxAge(placements);
  }

  private async askVendors(vendors: Vendors, { config }: StackSettings, launching: boolean): Promise<void> {
    const { now } = this.parts;
    const choices = Math.max(0, ...Object.values(config.pools).map(({ placements }) => placements.length));
    const maxAge = catalogueMaxAge(launching ? choices : 0);
    const listIsDue = now() >= nextListAt(this.servers.value?.at, this.activity);
    await Promise.all([
      this.catalogue.ask(() => vendors.catalogue.read(maxAge), now()),
      listIsDue ? this.servers.ask(() => vendors.cloud.listWorkers(), now()) : undefined,
    ]);
  }

  /** A worker's address and device id are known as soon as it is up. */
  private async askForDevices({ tailnet }: Vendors, workers: readonly WorkerView[]): Promise<void> {
    if (!tailnet) return;
    const { now } = this.parts;
    const lacking = workers.some(({ registered, device }) => registered && !device);
    const maxAge = lacking ? DEVICE_INTERVAL : undefined;
    await this.devices.ask(() => tailnet.devices(maxAge === undefined ? {} : { maxAge }), now());
  }

  private viewFleet(
    term: Term,
    { config, hashes }: StackSettings,
    catalogue: Catalogue,
    membership: Membership,
    said: Pick<FleetFacts, 'registered' | 'failedSteps'>,
  ): FleetView {
    const fleet = viewFleet({
      now: this.parts.now(),
      environment: this.parts.environment,
      membership,
      servers: this.servers.value,
      ...said,
      devices: this.devices.value,
      pools: config.pools,
      templates: hashes
        ? Object.fromEntries(
            [...hashes].map(([pool, configHash]) => [
              pool,
              { configHash, configHashVersion: CONFIG_HASH_VERSION },
            ]),
          )
        : term.record.pools,
      hourly: (placement, publicIpv4) => priceOfWorker(catalogue, placement, publicIpv4)?.hourly,
      listeningSince: term.since,
      registrySince: term.registrySince,
      settledSince:
        term.update.runningSince === undefined ? (term.update.lastAt ?? term.since) : this.parts.now(),
      memory: this.fleetMemory,
    });
    this.fleetMemory = fleet.memory;
    return fleet;
  }

  /** Books the servers that there are; EUR gross of this month so far, undefined before the first list. */
  private async followSpending(
    workers: readonly WorkerView[],
    catalogue: Catalogue,
  ): Promise<number | undefined> {
    const { registry, environment, now } = this.parts;
    const list = this.servers.value;
    if (!list) return undefined;
    if (list.at !== this.bookedAt) await this.book(list, workers, catalogue);
    return monthSpend(await registry.ledger.since(environment, monthStart(now())), now());
  }

  private gatewayHourly(catalogue: Catalogue): number {
    return (this.servers.value?.gateways ?? []).reduce(
      (sum, gateway) => sum + (priceOfWorker(catalogue, gateway, gateway.publicIpv4)?.hourly ?? 0),
      0,
    );
  }

  private async book(list: WorkerList, workers: readonly WorkerView[], catalogue: Catalogue): Promise<void> {
    const hourlyOf = new Map(workers.map(({ id, hourly }) => [id, hourly]));
    const gateways = list.gateways.map((gateway) => ({ ...gateway, worker: gateway.name, pool: '' }));
    const servers = [...list.items, ...gateways].map((server) => {
      const price = priceOfWorker(catalogue, server, server.publicIpv4);
      const hourly = price?.hourly ?? hourlyOf.get(server.worker) ?? 0;
      const { id: serverId, worker, pool, created } = server;
      return { serverId, worker, pool, created, hourly, monthly: price?.monthly ?? hourly * 24 * 31 };
    });
    await this.parts.registry.ledger.observe(this.parts.environment, servers, list.at);
    this.bookedAt = list.at;
  }

  private alarms({ config }: StackSettings, catalogue: Catalogue, at: number): Alarm[] {
    const skipped = Object.entries(config.pools).flatMap(([pool, { placements, publicNetwork }]) =>
      pricedPlacements({ placements, publicNetwork }, catalogue, at).skipped.map(({ reason }): Alarm => ({
        code: 'placement-gone',
        pool,
        severity: 'warning',
        message: reason,
        next: 'take it out of the pool’s placements, or name its successor; `worker-pools catalogue` lists what there is',
      })),
    );
    const vendors = [
      { what: 'the list of servers', code: 'servers-unreadable', latest: this.servers },
      { what: 'the catalogue', code: 'catalogue-unreadable', latest: this.catalogue },
      { what: 'the tailnet’s devices', code: 'devices-unreadable', latest: this.devices },
    ].flatMap(({ what, code, latest }): Alarm[] =>
      latest.failingSince === undefined || at - latest.failingSince < TOLD_AFTER
        ? []
        : [
            {
              code,
              severity: 'warning',
              message: `${what} could not be read for ${Math.round((at - latest.failingSince) / 60)} min: ${reasonOf(latest.error)}`,
              next: 'check the credentials and the vendor’s status page; `worker-pools doctor` tries each',
            },
          ],
    );
    const unreadable = (this.servers.value?.unreadable ?? []).map(({ id, name, labels }): Alarm => ({
      code: 'server-unlabelled',
      severity: 'warning',
      message: `server ${id} (${name}) has this stack’s labels but lacks ${labels.join(', ')}: it is left alone`,
      next: 'see in the Hetzner console what it is; give it its labels back, or take them all off',
    }));
    return [...skipped, ...vendors, ...unreadable];
  }
}

function queueOf(state: QueueState | undefined): Pick<PoolFacts, 'queue'> {
  if (!state?.reading) return {};
  const { at, waiting, running, oldestAge } = state.reading;
  return {
    queue: {
      observedAt: at,
      waiting,
      ...(running === undefined ? {} : { running }),
      ...(oldestAge === undefined ? {} : { oldest: at - oldestAge }),
    },
  };
}

/** Members that were never made are not there, whatever the record says until the next update. */
function withoutFailed(membership: Membership, failed: ReadonlySet<string>): Membership {
  if (failed.size === 0) return membership;
  return Object.fromEntries(
    Object.entries(membership).map(([name, pool]) => [
      name,
      { ...pool, members: pool.members.filter(({ id }) => !failed.has(id)) },
    ]),
  );
}

/** A slot that is held keeps its worker busy, whatever the worker says. */
function withHeldSlots(
  registered: readonly RegisteredWorker[],
  load: Readonly<Record<string, { held: Readonly<Record<string, readonly number[]>> }>>,
): RegisteredWorker[] {
  return registered.map((worker) => {
    const held = load[worker.pool]?.held[worker.worker] ?? [];
    return held.length <= worker.running.length ? worker : { ...worker, busy: held.length, running: held };
  });
}

/** Boot times of workers that registered for the first time since. */
function bootsSince(workers: readonly WorkerView[], since: number): number[] {
  return workers.flatMap(({ created, registered }) =>
    registered && registered.registeredAt > since ? [Math.max(0, registered.registeredAt - created)] : [],
  );
}

function activityOf({ workers, strangers, missing }: FleetView) {
  const count = (status: WorkerView['status']): number =>
    workers.filter((worker) => worker.status === status).length;
  return {
    booting: count('booting'),
    leaving: count('draining'),
    suspects: missing.length + strangers.length,
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no answer yet';
}
