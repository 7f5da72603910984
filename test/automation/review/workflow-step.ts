import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from '../../engine/harness';

const workflowSchema = z.object({
  jobs: z.record(
    z.string(),
    z.object({ steps: z.array(z.object({ id: z.string().optional(), run: z.string().optional() })) }),
  ),
});

/** The command that runs a workflow's step as GitHub does. @throws Error when there is no such step */
export function stepCommand(workflow: string, job: string, id: string): string[] {
  const text = readFileSync(join(ROOT, '.github', 'workflows', workflow), 'utf8');
  const run = workflowSchema.parse(parse(text)).jobs[job]?.steps.find((step) => step.id === id)?.run;
  if (run === undefined) throw new Error(`${workflow} has no step ${id} in job ${job}`);
  return ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', run];
}
