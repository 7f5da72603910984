import { ConfigError } from '../components/model/errors';
import { VendorError } from '../components/preflight/http';
import { StackBusyError } from './apply/types';
import type { Alarm } from './decide/stack-types';
import { StackNotUpError } from './lead';
import { NothingSeenError } from './observe/observer';
import type { UpdateState } from './term';

/** Updates in a row that came to nothing before a person is called: about a minute of trying. */
const STALLED_AFTER = 5;
/** Seconds after which an update may be one that never ends: making a server takes a quarter of an hour at worst. */
const LONG_UPDATE = 20 * 60;

/** Why a round could not be made, in words for the operator; undefined for what nobody expected. */
export function troubleOf(error: unknown): Alarm | undefined {
  if (!(error instanceof Error)) return undefined;
  const alarm = (code: string, next: string): Alarm => ({
    code,
    severity: 'critical',
    message: error.message,
    next,
  });
  if (error instanceof StackNotUpError)
    return alarm('stack-not-up', 'run it once; nothing is changed until then');
  if (error instanceof StackBusyError)
    return alarm('stack-held', 'wait for that run to end; it is tried again');
  if (error instanceof ConfigError) return alarm('config-wrong', 'correct the stack’s file');
  if (error instanceof NothingSeenError || error instanceof VendorError) {
    return alarm('catalogue-unreadable', 'check the token and the vendor’s status page; it is tried again');
  }
  return undefined;
}

/** What is in the way of a stack whose rounds are made: its file, and its updates. */
export function standingTrouble(
  fileFault: string | undefined,
  { runningSince = Infinity, attempts, lastOutcome, lastProblem = '' }: UpdateState,
  now: number,
): Alarm[] {
  const alarms: Alarm[] = [];
  if (fileFault !== undefined) {
    alarms.push({
      code: 'config-wrong',
      severity: 'critical',
      message: `the stack's file is wrong, and the one before it is used: ${fileFault}`,
      next: 'correct the file; it is read again as soon as it changes',
    });
  }
  if (now - runningSince >= LONG_UPDATE) {
    const minutes = Math.floor((now - runningSince) / 60);
    alarms.push({
      code: 'update-long',
      severity: 'critical',
      message: `an update has run for ${minutes} minutes; nothing is launched or removed before it ends`,
      next: 'wait as long as the Console shows that a server is being made; else kill the service with its engine, and start it again',
    });
  }
  if (attempts >= STALLED_AFTER) {
    const held = lastOutcome === 'busy';
    alarms.push({
      code: held ? 'stack-held' : 'updates-fail',
      severity: 'critical',
      message: `${attempts} updates in a row came to nothing: ${lastProblem}`,
      next: held
        ? 'see who holds the stack with `worker-pools doctor`; a run that is dead is released with `pulumi cancel`'
        : 'see `worker-pools explain --kind update`, and try `pulumi preview` with the same stack',
    });
  }
  return alarms;
}
