import { z } from 'zod';
import { ConfigError } from '../../components/model/errors';
import { membershipSchema } from '../../components/model/membership';
import type { StackOutputs } from '../../components/stack-record';

const poolSchema = z.object({
  min: z.int(),
  max: z.int(),
  slots: z.int(),
  configHash: z.string(),
  configHashVersion: z.int(),
});

const outputsSchema = z.object({
  membership: membershipSchema,
  network: z.string().nullable(),
  pools: z.record(z.string(), poolSchema),
});

/**
 * Reads what the last update has recorded, from `pulumi stack output --json`; undefined for a stack that was never up.
 * @throws ConfigError when there are outputs that this program does not write: "no members" would be a guess
 */
export function parseOutputs(stack: string, text: string): StackOutputs | undefined {
  const outputs: unknown = JSON.parse(text);
  if (z.strictObject({}).safeParse(outputs).success) return undefined;
  const parsed = outputsSchema.safeParse(outputs);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => ({ path: `stack ${stack}: ${path.join('.')}`, message })),
    'The record of this stack cannot be read. Bring it up once by hand with `pulumi up`, or restore its last checkpoint.',
  );
}
