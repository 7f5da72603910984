import type { PlannedLaunch, WorkerObservation } from './types';

/**
 * Gives each launch the first cell that has room. The environment's own stack is the first cell and has no name;
 * further ones are `cell-2`, `cell-3`, ….
 */
export function assignCells(
  launches: readonly PlannedLaunch[],
  workers: readonly WorkerObservation[],
  cellSize: number | undefined,
): readonly PlannedLaunch[] {
  if (cellSize === undefined) return launches;
  const taken = new Map<string | undefined, number>();
  for (const { cell } of workers) taken.set(cell, (taken.get(cell) ?? 0) + 1);
  return launches.map((launch) => {
    let cell: string | undefined;
    for (let number = 2; (taken.get(cell) ?? 0) >= cellSize; number += 1) cell = `cell-${number}`;
    taken.set(cell, (taken.get(cell) ?? 0) + 1);
    return cell === undefined ? launch : { ...launch, cell };
  });
}
