import type { EngineEvent } from '@pulumi/pulumi/automation';
import { placementGroups, type MemberRecord, type Membership } from '../../components/model/membership';
import {
  isWorkersOwn,
  poolResourceName,
  resourceName,
  urnName,
  workersOf,
} from '../../components/model/names';
import type { PendingCreate } from './exported-state';
import { failureKind, isUnknown, plainMessage } from './failures';
import { keepsItsName } from './pending-creates';
import { memberIds } from './roll-forward';
import type { FailedLaunch, UpdateReport } from './types';

const ROOT = 'pulumi:pulumi:Stack';
const SERVER = 'hcloud:index/server:Server';

/** What an update was to change, as it was decided under the stack's lock. */
export interface Plan {
  readonly before: Membership;
  readonly after: Membership;
}

type Happened = Omit<UpdateReport, 'outputs' | 'seconds'>;

interface Failure {
  readonly urn: string;
  readonly name: string;
  readonly message: string;
}

const NOT_ASKED: Failure = {
  urn: '',
  name: '',
  message: 'the update ended before its server was asked for',
};

/** Listens to one update. Little of an event is kept, and of no server: events quote whole resources. */
export class UpdateEvents {
  private readonly created = new Set<string>();
  private readonly deleted = new Set<string>();
  private readonly failed: { urn: string; op: string }[] = [];
  private readonly lost: PendingCreate[] = [];
  private readonly errors: Failure[] = [];
  private recorded = false;

  /** @param warn told what the engine warns of */
  constructor(private readonly warn: (text: string) => void = () => undefined) {}

  /** Whether the engine came to the end and has taken over the program's outputs, with or without failures. */
  get hasRecorded(): boolean {
    return this.recorded;
  }

  /** Creates that failed: the vendor may have carried them out all the same, and then refuses the next one its name. */
  get failedCreates(): readonly PendingCreate[] {
    return this.lost;
  }

  /**
   * What was to be deleted and is unknown to its vendor: somebody was faster, or the answer to the first try was lost. The
   * providers (hcloud 1.60, `resourceServerDelete`; cloudflare 6.22) take that for a failure, where it ought to be done.
   */
  get gone(): string[] {
    return this.failed
      .filter(({ op }) => op === 'delete')
      .map(({ urn }) => urn)
      .filter((urn) => this.errors.some((error) => error.urn === urn && isUnknown(error.message)));
  }

  readonly take = ({
    diagnosticEvent: said,
    resOutputsEvent: done,
    resOpFailedEvent: failed,
  }: EngineEvent): void => {
    // The SDK's debug messages quote every resource in plain text, secrets too.
    if (said?.prefix === 'debug: ') return;
    if (done?.metadata.type === ROOT) this.recorded = true;
    if (said?.severity === 'warning') this.warn(plainMessage(said.message));
    if (said?.severity === 'error') {
      const message = plainMessage(said.message);
      const urn = said.urn ?? '';
      if (message !== '' && message !== 'update failed')
        this.errors.push({ urn, name: urnName(urn), message });
    }
    if (done?.metadata.type === SERVER) {
      const { op, urn } = done.metadata;
      if (op === 'create' || op === 'import') this.created.add(urnName(urn));
      if (op === 'delete') this.deleted.add(urnName(urn));
    }
    if (failed) {
      const { op, urn, type } = failed.metadata;
      this.failed.push({ urn, op });
      const create = { name: urnName(urn), type, inputs: failed.metadata.new?.inputs ?? {} };
      if (op.startsWith('create') && keepsItsName(create)) this.lost.push(create);
    }
  };

  /** @param redacted takes what is secret out of a text */
  report(plan: Plan, redacted: (text: string) => string): Happened {
    const before = new Set(memberIds(plan.before));
    const after = memberIds(plan.after);
    const launched = after.filter((id) => this.created.has(resourceName(id, 'server')));
    const failedLaunches = this.failedLaunches(plan, before, redacted);
    const problems = this.errors
      .filter(({ name }) => !failedLaunches.some(({ worker }) => isWorkersOwn(name, worker)))
      .map(({ name, message }) => redacted(name === '' ? message : `${name}: ${message}`));
    return {
      outcome: this.failed.length + this.errors.length === 0 ? 'succeeded' : 'failed',
      launched,
      removed: workersOf(this.deleted).sort(),
      undeleted: this.failed.filter(({ op }) => op === 'delete').map(({ urn }) => urnName(urn)),
      failedLaunches,
      problems: [...new Set(problems)],
    };
  }

  /** Members that the update was to launch and did not, and older ones that it tried again. */
  private failedLaunches(
    { after }: Plan,
    before: ReadonlySet<string>,
    redacted: (text: string) => string,
  ): FailedLaunch[] {
    return Object.entries(after).flatMap(([pool, { members }]) =>
      members
        .filter(({ id }) => !this.created.has(resourceName(id, 'server')))
        .filter(({ id }) => !before.has(id) || this.failedToCreate(id))
        .map((member) => {
          const { id, serverType, location } = member;
          const { urn, name, message } = this.causeOf(member, pool, after);
          const kind = failureKind(message, typeOf(urn));
          return {
            worker: id,
            pool,
            placement: { serverType, location },
            // What a gateway or a placement group is refused says nothing of where this server was to stand.
            kind: kind === 'sold-out' && name !== resourceName(id, 'server') ? 'other' : kind,
            message: redacted(message),
          };
        }),
    );
  }

  private failedToCreate(id: string): boolean {
    return this.failed.some(({ urn, op }) => op === 'create' && resourcesOf(id).includes(urnName(urn)));
  }

  /**
   * Its server's own failure, else its key's, else the first of what it shares with others. The engine goes on after a
   * failure, so what is another's, or was to be deleted, keeps no server from being asked for.
   */
  private causeOf(member: MemberRecord, pool: string, after: Membership): Failure {
    const own = resourcesOf(member.id).flatMap((name) => this.errors.filter((error) => error.name === name));
    const undeleted = this.failed.filter(({ op }) => op === 'delete').map(({ urn }) => urn);
    return (
      own[0] ??
      this.errors.find(
        ({ urn, name }) => !undeleted.includes(urn) && !isAnothers(name, member, pool, after),
      ) ??
      NOT_ASKED
    );
  }
}

/** What a launch makes: the server, and the key that it needs first. */
function resourcesOf(id: string): string[] {
  return [resourceName(id, 'server'), resourceName(id, 'key')];
}

/** Whether a resource is another member's, or one of a pool's that this member has no use for. */
function isAnothers(name: string, member: MemberRecord, pool: string, membership: Membership): boolean {
  const needed = poolResources(pool, [member]).includes(name);
  return Object.entries(membership).some(
    ([other, { members }]) =>
      (!needed && poolResources(other, members).includes(name)) ||
      members.some(({ id }) => id !== member.id && isWorkersOwn(name, id)),
  );
}

/** The firewalls of a pool and the placement groups of these members. */
function poolResources(pool: string, members: readonly MemberRecord[]): string[] {
  const groups = placementGroups(members).map(({ location, number }) => `${location}-${number}` as const);
  return (['open', 'closed', ...groups] as const).map((part) => poolResourceName(pool, part));
}

/** The resource's own type, without those of its parents: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
function typeOf(urn: string): string {
  const types = urn.split('::')[2] ?? '';
  return types.slice(types.lastIndexOf('$') + 1);
}
