import pc from 'picocolors';
import type { Level, Section } from './finding';

const SIGNS: Record<Level, string> = { ok: '✓', note: '·', warning: '!', failed: '✗' };
const COLOURS = { ok: pc.green, note: pc.dim, warning: pc.yellow, failed: pc.red };

/**
 * The findings as a calm list, and the sum of them as its last line.
 * @param columns that a line may have
 */
export function doctorText(stack: string, sections: readonly Section[], columns = 110): string {
  const all = sections.flatMap(({ findings }) => findings);
  const width = Math.max(0, ...all.map(({ check }) => check.length));
  const lines = sections
    .filter(({ findings }) => findings.length > 0)
    .flatMap(({ title, findings }) => [
      '',
      pc.bold(title),
      ...findings.flatMap(({ check, level, seen, next }) => [
        hung(`  ${COLOURS[level](SIGNS[level])} ${check.padEnd(width)}  `, 6 + width, seen, columns),
        ...(next === undefined ? [] : [hung(`${' '.repeat(6 + width)}→ `, 8 + width, next, columns)]),
      ]),
    ]);
  return [
    ...lines.slice(1),
    '',
    sum(
      stack,
      all.map(({ level }) => level),
    ),
  ].join('\n');
}

function sum(stack: string, levels: readonly Level[]): string {
  const count = (level: Level): number => levels.filter((each) => each === level).length;
  const amount = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const failures = count('failed');
  const warnings = count('warning');
  if (failures > 0) {
    const more = warnings === 0 ? '' : ` and ${amount(warnings, 'warning')}`;
    return pc.red(`${stack}: ${amount(failures, 'fault')}${more}.`);
  }
  if (warnings > 0) return pc.yellow(`${stack}: works, with ${amount(warnings, 'warning')}.`);
  return pc.green(`${stack}: all is well.`);
}

/** Words after a lead of `indent` visible characters; further lines begin below the first word. */
function hung(lead: string, indent: number, words: string, columns: number): string {
  const lines = words.split(' ').reduce<string[]>((all, word) => {
    const last = all.at(-1);
    if (last !== undefined && indent + last.length + 1 + word.length <= columns) {
      return [...all.slice(0, -1), `${last} ${word}`];
    }
    return [...all, word];
  }, []);
  return lead + lines.join(`\n${' '.repeat(indent)}`);
}
