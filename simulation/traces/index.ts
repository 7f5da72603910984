import { readFileSync } from 'node:fs';
import type { Trace } from '../types';
import { traceFromCsv } from './csv';
import { TraceError } from './faults';
import { traceFromJson } from './json';

export { TraceError } from './faults';
export { CONTROL_WORKLOADS, DEVELOPMENT_WORKLOADS, generateTrace, workloadNames } from './workloads';
export { traceFromCsv, traceFromJson };

/**
 * A trace from a file: CSV where it is called so, else JSON.
 * @throws TraceError when it cannot be read or is wrong
 */
export function readTrace(file: string): Trace {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TraceError(
      `the trace cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return file.toLowerCase().endsWith('.csv') ? traceFromCsv(text, file) : traceFromJson(text, file);
}
