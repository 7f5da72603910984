import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Jobs } from '../jobs';

const newJobsSchema = z.strictObject({
  pool: z.string().min(1),
  jobs: z.array(z.strictObject({ id: z.string().min(1).optional(), seconds: z.number().min(0) })).min(1),
});

/** Registers the tenant's queue. One pool's answer is flat, so that a queue of kind `http` can read it. */
export function registerJobs(app: FastifyInstance, jobs: Jobs): void {
  app.get('/control/jobs', async () => ({ pools: jobs.report() }));
  app.get<{ Params: { pool: string } }>('/control/jobs/:pool', async (request) =>
    jobs.poolReport(request.params.pool),
  );
  app.post('/control/jobs', async (request, reply) => {
    const { pool, jobs: added } = newJobsSchema.parse(request.body);
    jobs.add(pool, added);
    return reply.code(201).send(jobs.poolReport(pool));
  });
}
