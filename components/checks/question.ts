import type { z } from 'zod';

/** The script's question, which the program put into its environment as JSON. @throws when it is not there */
export function readQuestion<T extends z.ZodType>(schema: T): z.infer<T> {
  return schema.parse(JSON.parse(process.env['WORKER_POOLS_QUESTION'] ?? 'null'));
}

/** One line of progress; the engine shows standard error while the script runs. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a script's main function; a failure is one readable line and exit code 1. */
export function run(main: () => Promise<void>): void {
  // Node ends with 0 where nothing is left that it could wait for, whether or not the function has ended.
  process.exitCode = 1;
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
      process.exit(1);
    },
  );
}
