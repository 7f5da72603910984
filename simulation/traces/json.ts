import { z } from 'zod';
import type { Trace } from '../types';
import { jobFaults, refuse, TraceError } from './faults';

const shapeSchema = z.object({ jobs: z.array(z.unknown()), horizon: z.unknown().optional() });
const jobSchema = z.object({ arrival: z.unknown().optional(), service: z.unknown().optional() });

/**
 * A trace from `{ "jobs": [ { "arrival": s, "service": s }, … ], "horizon": s }`; other fields are ignored.
 * @param source how the file is called in messages
 * @throws TraceError with every fault and its index
 */
export function traceFromJson(text: string, source: string): Trace {
  const shape = shapeSchema.safeParse(parse(text, source));
  if (!shape.success) {
    throw new TraceError(
      `${source} is not a trace: it must be { "jobs": [ { "arrival": s, "service": s }, … ], "horizon": s }`,
    );
  }
  const { jobs, horizon } = shape.data;
  const rows = jobs.map((job, index) => {
    const { arrival, service } = jobSchema.safeParse(job).data ?? { arrival: undefined, service: undefined };
    return { place: `jobs[${index}]`, arrival, service };
  });
  refuse(source, jobFaults(rows, horizon));
  return {
    jobs: rows.map(({ arrival, service }) => ({ arrival: Number(arrival), service: Number(service) })),
    horizon: Number(horizon),
  };
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TraceError(`${source} is not JSON: ${reason} (JSON knows no NaN and no Infinity)`);
  }
}
