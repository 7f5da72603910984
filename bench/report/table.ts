import CliTable from 'cli-table3';

/** Rows under a head; printed on a terminal and written into documents. */
export interface Table {
  title: string;
  /** How to read it, in a sentence or two. */
  note?: string;
  head: string[];
  rows: string[][];
}

/** For people at a terminal. */
export function toText({ title, note, head, rows }: Table): string {
  const table = new CliTable({ head, style: { head: [], border: [] } });
  table.push(...rows);
  return [title, ...(note === undefined ? [] : [note]), table.toString()].join('\n');
}

/** For documents; laid out as prettier does it, so that a formatted document stays as it is. */
export function toMarkdown({ title, note, head, rows }: Table): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [top = [], ...body] = cells;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [
    `### ${title}`,
    ...(note === undefined ? [] : [note]),
    [line(top), rule, ...body.map(line)].join('\n'),
  ].join('\n\n');
}
