import type { StackConfig } from '../../components/model/config-schema';
import type { ConfigFault } from '../../components/model/errors';
import type { Credentials } from '../../components/preflight/credentials';
import { VendorError } from '../../components/preflight/http';
import { failed, told, type Finding } from './finding';
import type { Question } from './question';

/** What the vendors are asked about. */
export interface VendorQuestion {
  readonly question: Question;
  readonly environment: string;
  readonly config: StackConfig;
  readonly credentials: Credentials;
  /** Pools that were ever up: what they use may be on its way out. */
  readonly knownPools: readonly string[];
}

/** Each fault of a plan as a finding. */
export function faultFindings(check: string, faults: readonly ConfigFault[]): Finding[] {
  return faults.map(({ path, message }) => told(check, `${path}: ${message}`));
}

/** Findings of one question to a vendor. That it was not answered is one as well, and hides no other. */
export async function answered(
  check: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof VendorError)) throw error;
    return [
      failed(
        check,
        `could not be looked at: ${error.message}`,
        'try again; if it stays, look at the vendor’s status page',
      ),
    ];
  }
}
