import type { PoolReport, Report } from './report';
import * as words from './words';

/** Longest comment that GitHub takes, in characters (docs.github.com, REST API, issue comments). */
export const COMMENT_LIMIT = 65_536;
/** Longest sentence of somebody else's that is shown whole. */
const LONGEST_MESSAGE = 2_000;
/** How much is shown of what there may be hundreds of: everything that fits. */
const LINES = [Infinity, 200, 50, 10, 0];
const CUT = '\n\n_Cut: the comment’s limit is reached._\n';

/** By this a stack's comment is found again. */
export function marker(stack: string): string {
  return `<!-- worker-pools-preview: ${stack} -->`;
}

/** A stack's report as a comment, verdict first, within the limit: details give way before the verdict does. */
export function toMarkdown(report: Report, limit = COMMENT_LIMIT): string {
  for (const lines of LINES) {
    const text = render(report, lines);
    if (text.length <= limit) return text;
  }
  return render(report, 0).slice(0, limit - CUT.length) + CUT;
}

function render(report: Report, most: number): string {
  const { stack, verdict, cost } = report;
  return [
    marker(stack),
    `### ${words.VERDICT_SIGN[verdict]} \`${stack}\`: ${words.verdict(report)}`,
    escaped(words.headline(report)),
    report.note === undefined ? '' : `_${escaped(report.note)}_`,
    list('', report.faults, most),
    list('**Dangerous**', report.dangers, most),
    list('**Against the policies**', violations(report, 'mandatory'), most),
    pools(report.pools, most),
    cost ? table(['', 'now', 'after', 'at max', 'budget'], words.costRows(cost), most) : '',
    cost ? '<sub>EUR gross: servers and IPv4 addresses at today’s prices.</sub>' : '',
    list('', words.isBudgetNews(report) ? cost!.exceeded : [], most),
    list('', words.isLimitsNews(report) ? limits(report) : [], most),
    resources(report, most),
    folded(words.counted(notes(report).length, 'note'), bullets(notes(report), most)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function pools(all: readonly PoolReport[], most: number): string {
  if (all.length === 0) return '';
  return table(
    ['pool', 'workers', 'bounds', 'template'],
    all.map((pool) => {
      const { before, after } = words.bounds(pool);
      const range = before === undefined ? after : `${before} → **${after}**`;
      return [`\`${pool.name}\``, words.size(pool), range, words.template(pool)];
    }),
    most,
  );
}

function resources({ resources: all }: Report, most: number): string {
  const lines = words.resourceLines(all);
  const texts = lines.slice(0, most).map(({ text, destructive, details }) => {
    const head = destructive ? `**${escaped(text)}**` : escaped(text);
    return [`- ${head}`, ...details.map((detail) => `  - ${code(detail)}`)].join('\n');
  });
  return folded(`Resources: ${words.summary(all)}`, [...texts, ...more(lines.length, most)].join('\n'));
}

/** What is good to know and stops nobody. */
function notes(report: Report): string[] {
  return [
    ...violations(report, 'advisory'),
    ...report.warnings,
    ...(words.isBudgetNews(report) ? [] : (report.cost?.exceeded ?? [])),
    ...(report.pools.some(({ drift }) => drift) ? [words.ROLLING] : []),
    ...[words.userDataLine(report)].filter((line) => line !== undefined),
    ...(words.isLimitsNews(report) ? [] : limits(report)),
  ];
}

function limits(report: Report): string[] {
  return [words.limitsLine(report)].filter((line) => line !== undefined);
}

function violations({ violations: all }: Report, wanted: 'advisory' | 'mandatory'): string[] {
  return all
    .filter(({ level }) => level === wanted)
    .map(
      ({ policy, resource, message }) =>
        `${policy}${resource === undefined ? '' : `, ${resource}`}: ${message}`,
    );
}

function list(heading: string, messages: readonly string[], most: number): string {
  if (messages.length === 0) return '';
  return `${heading}${heading === '' ? '' : '\n'}${bullets(messages, most)}`;
}

function bullets(messages: readonly string[], most: number): string {
  // The first message is why the verdict is what it is, and stays.
  const shown = Math.max(most, 1);
  return [
    ...messages.slice(0, shown).map((message) => `- ${escaped(message).replace(/\n\s*/g, '<br>')}`),
    ...more(messages.length, shown),
  ].join('\n');
}

function more(count: number, shown: number): string[] {
  return count > shown ? [`- … and ${count - shown} more`] : [];
}

function folded(summary: string, body: string): string {
  return body === '' ? '' : `<details><summary>${escaped(summary)}</summary>\n\n${body}\n\n</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], most: number): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const shown = Math.max(most, 20);
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.slice(0, shown).map(line),
    ...(rows.length > shown ? [`\n… and ${rows.length - shown} more`] : []),
  ].join('\n');
}

/** Somebody else's words: no markup, no table cell, no mention. */
function escaped(text: string): string {
  const short = text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)} …` : text;
  return short
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[|`*[\]@]|(?<!\w)_|_(?!\w)/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

function code(text: string): string {
  return `\`${text.replace(/`/g, "'").replace(/\s+/g, ' ')}\``;
}
