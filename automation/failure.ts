import { AssertionError } from 'node:assert';
import { VendorError } from '../components/preflight/http';

/** Errors that only a fault of this program throws: whoever puts it right needs to know where. */
const OUR_FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError, AssertionError];

/** What a person at the terminal reads: the message alone, or, of a fault of this program, where it is. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (OUR_FAULTS.some((fault) => error instanceof fault)) {
    return `This is a fault of worker-pools itself; please report it:\n${error.stack ?? error.message}`;
  }
  if (error instanceof VendorError) return vendorMessage(error);
  return error.message;
}

function vendorMessage({ vendor, status, message }: VendorError): string {
  const next =
    'Nothing was changed. `worker-pools doctor` says what is wrong with the credentials and end points.';
  return `${vendor}${status === undefined ? '' : ` (${status})`}: ${message}. ${next}`;
}
