import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** A stack's file as it is written, secrets encrypted. */
export interface StackFile {
  name: string;
  /** By full key, e.g. `worker-pools:pools`. */
  config: Record<string, unknown>;
}

/** How a policy comes by the file of a stack; undefined where there is none to be read. */
export type ReadStackFile = (stack: string) => StackFile | undefined;

/**
 * `Pulumi.<stack>.yaml` beside the pack, or the file that WORKER_POOLS_STACK_FILE names. The engine gives a pack no
 * configuration, and the file tells what the configuration no longer does: whether a value is encrypted.
 */
export const stackFile: ReadStackFile = (stack) => {
  const name = `Pulumi.${stack}.yaml`;
  const path = process.env['WORKER_POOLS_STACK_FILE'] ?? join(dirname(__dirname), name);
  if (!existsSync(path)) return undefined;
  const { config } = z
    .object({ config: z.record(z.string(), z.unknown()).default({}) })
    .parse(parse(readFileSync(path, 'utf8')) ?? {});
  return { name, config };
};

/** The stack's name, from any URN of it: `urn:pulumi:<stack>::<project>::…`. */
export function stackOf(urn: string): string {
  return urn.split('::')[0]!.slice('urn:pulumi:'.length);
}
