import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { openRegistry } from '../../../automation/registry';

/** A service process that wants to lead: says `open`, tries until it does, says `leads`, and stays until it is killed. */

const { location, environment, audit } = z
  .object({
    location: z.union([z.object({ url: z.string() }), z.object({ directory: z.string() })]),
    environment: z.string(),
    audit: z.string().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? 'null'));

async function contend(): Promise<void> {
  const registry = await openRegistry(location, { silence: 60 });
  process.stdout.write('open\n');
  if (audit !== undefined) {
    await registry.audit.append({
      at: 1,
      environment,
      actor: 'scaler',
      kind: 'leadership',
      summary: audit,
      detail: {},
    });
  }
  while (!(await registry.leadership.acquire(environment))) await delay(100);
  process.stdout.write('leads\n');
  setInterval(() => undefined, 1000);
}

contend().catch((error: unknown) => {
  process.stdout.write(`failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
