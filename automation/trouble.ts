import { ConfigError } from '../components/model/errors';
import { VendorError } from '../components/preflight/http';
import { StackBusyError } from './apply/types';
import type { Alarm } from './decide/stack-types';
import { StackNotUpError } from './lead';
import { NothingSeenError } from './observe/observer';

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
