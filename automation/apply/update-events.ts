import type { EngineEvent } from '@pulumi/pulumi/automation';
import type { Membership } from '../../components/model/membership';
import { errorCode, failureKind, plainMessage } from './failures';
import { memberIds } from './roll-forward';
import type { FailedLaunch, UpdateReport } from './types';

const ROOT = 'pulumi:pulumi:Stack';
const SERVER = 'hcloud:index/server:Server';
/** A worker's, not the gateway's. */
const WORKERS_SERVER = /^(.+-[0-9a-z]{4,})-server$/;

/** What an update was to change, as it was decided under the stack's lock. */
export interface Plan {
  readonly before: Membership;
  readonly after: Membership;
}

type Happened = Omit<UpdateReport, 'outputs' | 'seconds'>;

interface Failure {
  readonly name: string;
  readonly type: string;
  readonly message: string;
}

/** Listens to one update. Nothing of an event is kept but names and what failed: events quote whole resources. */
export class UpdateEvents {
  private readonly created = new Set<string>();
  private readonly deleted = new Set<string>();
  private readonly failed: { urn: string; op: string }[] = [];
  private readonly errors: Failure[] = [];
  private recorded = false;

  /** @param warn told what the engine warns of */
  constructor(private readonly warn: (text: string) => void = () => undefined) {}

  /** Whether the engine came to the end and has taken over the program's outputs, with or without failures. */
  get hasRecorded(): boolean {
    return this.recorded;
  }

  /**
   * Servers that were to be deleted and that Hetzner does not know any more, e.g. because somebody was faster. Its
   * provider (1.60, `resourceServerDelete`) takes that for a failure, where it ought to be done.
   */
  get goneServers(): string[] {
    const gone = this.errors.filter(({ message }) => errorCode(message) === 'not_found');
    return this.failed
      .filter(({ urn, op }) => op === 'delete' && typeOf(urn) === SERVER)
      .map(({ urn }) => urn)
      .filter((urn) => gone.some(({ name }) => name === nameOf(urn)));
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
        this.errors.push({ name: nameOf(urn), type: typeOf(urn), message });
    }
    if (done?.metadata.type === SERVER) {
      const { op, urn } = done.metadata;
      if (op === 'create' || op === 'import') this.created.add(nameOf(urn));
      if (op === 'delete') this.deleted.add(nameOf(urn));
    }
    if (failed) {
      const { op, urn } = failed.metadata;
      this.failed.push({ urn, op });
    }
  };

  /** @param redacted takes what is secret out of a text */
  report(plan: Plan, redacted: (text: string) => string): Happened {
    const before = new Set(memberIds(plan.before));
    const after = memberIds(plan.after);
    const members = new Set([...before, ...after]);
    const launched = after.filter((id) => this.created.has(`${id}-server`));
    const failedLaunches = this.failedLaunches(plan, before, redacted);
    const told = new Set(failedLaunches.map(({ worker }) => worker));
    const problems = this.errors
      .filter(({ name }) => !told.has(memberOf(name, members) ?? ''))
      .map(({ name, message }) => redacted(name === '' ? message : `${name}: ${message}`));
    return {
      outcome: this.failed.length + this.errors.length === 0 ? 'succeeded' : 'failed',
      launched,
      removed: [...this.deleted].flatMap((name) => WORKERS_SERVER.exec(name)?.[1] ?? []).sort(),
      undeleted: this.failed.filter(({ op }) => op === 'delete').map(({ urn }) => nameOf(urn)),
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
        .filter(({ id }) => !this.created.has(`${id}-server`) && (!before.has(id) || this.failedToCreate(id)))
        .map(({ id, serverType, location }) => {
          const { type, message } = this.causeOf(id);
          return {
            worker: id,
            pool,
            placement: { serverType, location },
            kind: failureKind(message, type),
            message: redacted(message),
          };
        }),
    );
  }

  private failedToCreate(id: string): boolean {
    const before = [`${id}-key`, `${id}-server`];
    return this.failed.some(({ urn, op }) => op === 'create' && before.includes(nameOf(urn)));
  }

  /** Its server's own failure, else its key's, else what else went wrong first. */
  private causeOf(id: string): Failure {
    const own = [`${id}-server`, `${id}-key`].flatMap((name) =>
      this.errors.filter((error) => error.name === name),
    );
    const none = { name: id, type: '', message: 'the update ended before its server was asked for' };
    return own[0] ?? this.errors.find(({ name }) => !/-[0-9a-z]{4,}-\w+$/.test(name)) ?? none;
  }
}

/** The member that a resource belongs to: `ci-0001` of `ci-0001-server` and `ci-0001-tenant-acme`. */
function memberOf(name: string, members: ReadonlySet<string>): string | undefined {
  return [...members].find((id) => name === id || name.startsWith(`${id}-`));
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf('::') + 2);
}

/** The resource's own type, without those of its parents: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
function typeOf(urn: string): string {
  const types = urn.split('::')[2] ?? '';
  return types.slice(types.lastIndexOf('$') + 1);
}
