import Table from 'cli-table3';
import pc from 'picocolors';

/** A column: its heading, and where its cells stand. */
export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
  /** Characters after which a cell goes on in a further line. */
  readonly width?: number;
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'bottom', 'mid', 'left', 'right', 'middle'],
    ...['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left-mid', 'mid-mid', 'right-mid'],
  ].map((place) => [place, '']),
);

/** Rows under headings, without lines; cells may hold line breaks and colours. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    chars: NO_LINES,
    head: columns.map(({ head }) => pc.dim(head)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: columns.map(({ align = 'left' }) => align),
    // The two that stand between columns count.
    colWidths: columns.map(({ width }) => (width === undefined ? null : width + 2)),
    wordWrap: true,
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
