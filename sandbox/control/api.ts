import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { machineSettingsSchema } from '../machines';
import type { Sandbox } from '../sandbox';
import { registerJobs } from './jobs';
import { chaosFaults } from './chaos';
import { faultSchema, pathPatternSchema } from './faults';
import { registerVendorSide } from './vendor-side';

const requestFilterSchema = z.strictObject({
  since: z.iso.datetime({ offset: true }).optional(),
  vendor: z.enum(['hetzner', 'tailscale', 'cloudflare']).optional(),
  method: z.string().optional(),
  path: pathPatternSchema.optional(),
  status: z.coerce.number().int().optional(),
  client: z.string().optional(),
});

const chaosSchema = z.strictObject({
  share: z.number().min(0).max(0.1),
  vendor: z.enum(['hetzner', 'tailscale', 'cloudflare']).optional(),
});

const verdictSchema = z
  .strictObject({ pool: z.string().min(1), worker: z.string().min(1) })
  .partial()
  .transform(({ pool, worker }) => ({ ...(pool && { pool }), ...(worker && { worker }) }));

const clockSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('stepped') }),
  z.strictObject({ mode: z.literal('real'), rate: z.number().positive().default(1) }),
]);

const advanceSchema = z.strictObject({ seconds: z.number().min(0) });

/** What the control API reaches: everything of the sandbox but its end. */
export type Controlled = Omit<Sandbox, 'endpoints' | 'close'>;

const CALLERS_MISTAKES = new Set(['SnapshotError', 'DuplicateJobError']);

/** Registers the control API under /control; errors are `{ error: { message, issues? } }`. */
export function registerControl(app: FastifyInstance, sandbox: Controlled): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof z.ZodError)
      return reply.code(422).send({ error: { message: z.prettifyError(error), issues: error.issues } });
    return reply
      .code(error.statusCode ?? (CALLERS_MISTAKES.has(error.name) ? 422 : 500))
      .send({ error: { message: error.message } });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: { message: `no ${request.method} ${request.url}; see docs/sandbox.md, "Control API"` },
    }),
  );
  // Clients that send no body at all still name a content type.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text: string, done) => {
    try {
      done(null, text === '' ? {} : (JSON.parse(text) as unknown));
    } catch (error) {
      done(Object.assign(new Error(`the body is not JSON: ${String(error)}`), { statusCode: 400 }));
    }
  });
  registerFaults(app, sandbox);
  registerRequests(app, sandbox);
  registerClock(app, sandbox);
  registerMachines(app, sandbox);
  registerJobs(app, sandbox.jobs);
  registerVendorSide(app, sandbox.hetzner);
  registerState(app, sandbox);
}

function registerFaults(app: FastifyInstance, { faults }: Controlled): void {
  app.get('/control/faults', async () => ({ faults: faults.list() }));
  app.post('/control/faults', async (request, reply) =>
    reply.code(201).send({ fault: faults.add(faultSchema.parse(request.body)) }),
  );
  app.post('/control/faults/chaos', async (request, reply) => {
    const { share, vendor } = chaosSchema.parse(request.body);
    return reply.code(201).send({ faults: chaosFaults(share, vendor).map((fault) => faults.add(fault)) });
  });
  app.delete('/control/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  app.delete<{ Params: { id: string } }>('/control/faults/:id', async (request, reply) =>
    faults.delete(request.params.id)
      ? reply.code(204).send()
      : reply.code(404).send({ error: { message: `no fault "${request.params.id}"` } }),
  );
}

function registerRequests(app: FastifyInstance, { requests }: Controlled): void {
  app.get('/control/requests', async (request) => {
    const filter = requestFilterSchema.parse(request.query);
    const found = requests.list(filter);
    return { total: found.length, requests: found };
  });
  app.delete('/control/requests', async (_request, reply) => {
    requests.clear();
    return reply.code(204).send();
  });
}

function registerClock(app: FastifyInstance, sandbox: Controlled): void {
  const view = (): unknown => {
    const { mode } = sandbox.clock;
    return {
      now: new Date(sandbox.clock.now()).toISOString(),
      mode: mode.kind,
      ...(mode.kind === 'real' && { rate: mode.rate }),
    };
  };
  app.get('/control/clock', async () => view());
  app.put('/control/clock', async (request) => {
    const body = clockSchema.parse(request.body);
    sandbox.setClockMode(body.mode === 'real' ? { kind: 'real', rate: body.rate } : { kind: 'stepped' });
    return view();
  });
  app.post('/control/clock/advance', async (request) => {
    await sandbox.advance(advanceSchema.parse(request.body).seconds);
    return view();
  });
}

function registerMachines(app: FastifyInstance, { machines }: Controlled): void {
  app.get('/control/machines', async () => ({ machines: machines.list() }));
  app.get<{ Params: { id: string } }>('/control/machines/:id/log', async (request, reply) => {
    const log = machines.log(Number(request.params.id));
    if (log === undefined)
      return reply.code(404).send({ error: { message: `no machine of server ${request.params.id}` } });
    return reply.type('text/plain; charset=utf-8').send(log);
  });
  app.post<{ Params: { id: string } }>('/control/machines/:id/hang', async (request, reply) => {
    if (machines.hang(Number(request.params.id))) return reply.code(204).send();
    const message = `no machine of server ${request.params.id} is ready; only such a one can hang`;
    return reply.code(409).send({ error: { message } });
  });
  app.get('/control/machines/settings', async () => machines.settings);
  app.patch('/control/machines/settings', async (request) => {
    const changes = z.record(z.string(), z.unknown()).parse(request.body);
    machines.changeSettings(machineSettingsSchema.parse({ ...machines.settings, ...changes }));
    return machines.settings;
  });
}

function registerState(app: FastifyInstance, sandbox: Controlled): void {
  app.get('/control/verdict', async (request) => sandbox.verdict(verdictSchema.parse(request.query)));
  app.post('/control/reset', async (_request, reply) => {
    await sandbox.reset();
    return reply.code(204).send();
  });
  app.get('/control/snapshot', async () => sandbox.snapshot());
  app.put('/control/snapshot', async (request, reply) => {
    await sandbox.restore(request.body);
    return reply.code(204).send();
  });
}
