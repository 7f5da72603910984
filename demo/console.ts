import colors from 'picocolors';

/** What the demo says; everything the engine says goes to the same terminal in between. */
const started = Date.now();

/** A step begins. */
export function step(title: string): void {
  process.stdout.write(`\n${colors.bold(colors.cyan('▸'))} ${colors.bold(title)} ${colors.dim(elapsed())}\n`);
}

export function say(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

export function done(line: string): void {
  process.stdout.write(`  ${colors.green('✓')} ${line}\n`);
}

export function failed(line: string): void {
  process.stderr.write(`\n${colors.red('✗')} ${line}\n`);
}

function elapsed(): string {
  return `(${Math.round((Date.now() - started) / 1000)} s)`;
}
