import type { ModelData } from 'highs';

/** A linear programme that minimises, filled one row and one column at a time. */
export class Matrix {
  private readonly rowLower: number[] = [];
  private readonly rowUpper: number[] = [];
  private readonly cost: number[] = [];
  private readonly upper: number[] = [];
  private readonly starts: number[] = [0];
  private readonly indices: number[] = [];
  private readonly values: number[] = [];

  /** @returns the row's number */
  addRow(lower: number, upper: number): number {
    this.rowLower.push(lower);
    return this.rowUpper.push(upper) - 1;
  }

  /** A variable from 0 up; entries with an undefined row are left out. */
  addColumn(cost: number, entries: Iterable<readonly [row: number | undefined, value: number]>): void {
    for (const [row, value] of entries) {
      if (row === undefined || value === 0) continue;
      this.indices.push(row);
      this.values.push(value);
    }
    this.cost.push(cost);
    this.upper.push(Infinity);
    this.starts.push(this.indices.length);
  }

  model(): ModelData {
    const numCols = this.cost.length;
    const numRows = this.rowLower.length;
    return {
      numCols,
      numRows,
      colCost: this.cost,
      colLower: new Float64Array(numCols),
      colUpper: this.upper,
      rowLower: this.rowLower,
      rowUpper: this.rowUpper,
      matrix: {
        format: 'csc',
        numCols,
        numRows,
        starts: this.starts,
        indices: this.indices,
        values: this.values,
      },
    };
  }
}
