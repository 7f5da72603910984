import type { z } from 'zod';

/** A request that is answered with an error and changes nothing. */
export class Refusal extends Error {
  override name = 'Refusal';

  /**
   * @param reason short fixed word, counted in `worker_pools_http_refusals_total`
   * @param message what is wrong and what to do
   */
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    /** Every single fault, where a body has several. */
    readonly faults: readonly string[] = [],
  ) {
    super(message);
  }
}

/** The value as the schema has it. @throws Refusal with all faults, by field */
export function parse<T extends z.ZodType>(schema: T, value: unknown, what = 'the body'): z.output<T> {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap(describe);
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  throw new Refusal(400, 'bad-fields', `${what} has ${count}: ${faults.join('; ')}`, faults);
}

/** Values are not quoted: they may be secrets in the wrong place. */
function describe(issue: z.core.$ZodIssue): string[] {
  const at = (path: readonly PropertyKey[]): string => path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${at([...issue.path, key.slice(0, 40)])} is not a known field`);
  }
  const message = issue.message.replace(/^Invalid input: /, '');
  const missing = message.replace(/^(expected .*), received undefined$/, 'is missing ($1)');
  return [`${at(issue.path) || 'it'} ${missing}`];
}
