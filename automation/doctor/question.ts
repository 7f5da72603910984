import type { ConfigFault } from '../../components/model/errors';

/** What the doctor looks at. */
export interface Question {
  readonly stack: string;
  /** Folder with Pulumi.yaml and the stack's file. */
  readonly project: string;
  /** The service's data folder. */
  readonly data: string;
  /** With every secret read from its file. */
  readonly environment: NodeJS.ProcessEnv;
  /** Secret files that could not be read, or that others can read. */
  readonly secretFaults: readonly ConfigFault[];
  /** The service's admin interface. */
  readonly service: string;
  /** Undefined where neither the environment nor the data folder has one. */
  readonly adminToken: string | undefined;
  /** Makes a tailnet key with the stack's tags and deletes it. */
  readonly tryTags: boolean;
  /** Real time that one check may take. */
  readonly patienceMs: number;
  /** Seconds since 1970. */
  readonly now: () => number;
}
