import * as pulumi from '@pulumi/pulumi';
import { z } from 'zod';
import { ConfigError } from './model/errors';
import { parseMembership, type Membership } from './model/membership';

/** Root outputs of a stack: plain values only, because those are kept even when an update fails half way. */
export interface StackOutputs {
  /** Who the workers are. Read by the next run, by the service and by previews. */
  membership: Membership;
  /** The private network that workers hang on: its range, or the stack that owns it; null without one. */
  network: string | null;
  /** What the service needs to know of each pool; the size itself belongs to the service. */
  pools: Record<
    string,
    { min: number; max: number; slots: number; configHash: string; configHashVersion: number }
  >;
}

/** What the last update of a stack left behind for the next run. */
export interface StackRecord {
  membership: Membership;
  /** As in the outputs; undefined where an older version of this program wrote them. */
  network: string | null | undefined;
}

/**
 * Reads what the last update of this very stack recorded; undefined for a stack that has nothing yet.
 * @throws ConfigError when the stack has outputs but no membership: that is not a new stack, and "no members" would be a guess
 */
export async function readRecord(): Promise<StackRecord | undefined> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const itself = new pulumi.StackReference(name, { name });
  const outputs = await settled<Record<string, unknown>>(itself.outputs);
  if (Object.keys(outputs).length === 0) return undefined;
  if (outputs['membership'] === undefined) {
    throw new ConfigError(
      [
        {
          path: `stack ${name}`,
          message:
            'has outputs, but no membership among them; restore it from the last checkpoint with `pulumi stack export --version`',
        },
      ],
      'The record of this stack is incomplete.',
    );
  }
  return {
    membership: parseMembership(outputs['membership'], 'membership'),
    network: z.string().nullable().optional().parse(outputs['network']),
  };
}

/** The plain value of an output that is known without any resource, e.g. a stack reference's. */
function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value)));
}
