import type { Report } from './report';
import * as words from './words';

/** A stack's report for a terminal. */
export function toText(report: Report): string {
  const { stack, note, faults, dangers, cost, resources } = report;
  const sections: [string, string[]][] = [
    ['', note === undefined ? [] : [note]],
    ['Why', faults],
    ['Dangerous', dangers],
    [
      'Policies',
      report.violations.map(
        ({ policy, level, resource, message }) =>
          `${policy} (${level})${resource === undefined ? '' : `, ${resource}`}: ${message}`,
      ),
    ],
    [
      'Pools',
      report.pools.map((pool) => {
        const { before, after } = words.bounds(pool);
        const range = before === undefined ? after : `${before} → ${after}`;
        return `${pool.name}: ${words.size(pool)} within ${range}; template: ${words.template(pool)}`;
      }),
    ],
    [
      'Cost (EUR gross)',
      cost
        ? [
            ...words
              .costRows(cost)
              .map(
                ([span, now, after, atMax, budget]) =>
                  `${span}: now ${now}, after ${after}, at max ${atMax}, budget ${budget}`,
              ),
            ...cost.exceeded,
          ]
        : [],
    ],
    [
      `Resources${resources.length === 0 ? '' : `: ${words.summary(resources)}`}`,
      words
        .resourceLines(resources)
        .flatMap(({ text, destructive, details }) => [
          `${destructive ? '! ' : ''}${text}`,
          ...details.map((detail) => `  ${detail}`),
        ]),
    ],
    [
      'Notes',
      [
        ...report.warnings,
        ...(report.pools.some(({ drift }) => drift) ? [words.ROLLING] : []),
        ...[words.userDataLine(report), words.limitsLine(report)].filter((line) => line !== undefined),
      ],
    ],
  ];
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([heading, lines]) =>
      [...(heading === '' ? [] : [heading]), ...lines.map((line) => `  ${line}`)].join('\n'),
    );
  const headline = words.headline(report);
  return `${[`${stack}: ${words.verdict(report)}`, ...(headline === '' ? [] : [headline]), ...body].join('\n\n')}\n`;
}
