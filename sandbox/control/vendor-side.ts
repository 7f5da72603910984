import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Hetzner } from '../hetzner';

const availabilitySchema = z.strictObject({
  serverType: z.string(),
  /** All locations when left out. */
  location: z.string().optional(),
  available: z.boolean(),
  /** Whether servers are really made; as `available` when left out. */
  placeable: z.boolean().optional(),
});

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const deprecationSchema = z.union([
  z.strictObject({
    serverType: z.string(),
    location: z.string().optional(),
    announced: time,
    unavailableAfter: time,
  }),
  z.strictObject({ image: z.string(), deprecated: time }),
]);

const priceSchema = z.strictObject({
  serverType: z.string(),
  location: z.string().optional(),
  /** Net EUR. */
  hourly: z.number().min(0),
  monthly: z.number().min(0),
});

const snapshotSchema = z.strictObject({
  project: z.string(),
  description: z.string(),
  architecture: z.enum(['x86', 'arm']).default('x86'),
  diskSize: z.number().positive().default(40),
  labels: z.record(z.string(), z.string()).default({}),
});

const fleetSchema = z.strictObject({
  /** The label whose values make the groups. */
  label: z.string().min(1).default('pool'),
});

const actionFailureSchema = z.strictObject({
  command: z.string(),
  code: z.string().default('action_failed'),
  message: z.string().default('Action failed'),
});

/** Registers what the vendor itself does to its customers: prices, sold-out types, deprecations, failing actions. */
export function registerVendorSide(app: FastifyInstance, hetzner: Hetzner): void {
  const { catalogue } = hetzner;
  app.get('/control/costs', async () => ({ projects: hetzner.costReport() }));
  app.get('/control/fleet', async (request) => {
    const { label } = fleetSchema.parse(request.query);
    return { label, values: hetzner.fleetReport(label) };
  });
  app.post('/control/catalogue/availability', async (request, reply) => {
    const { serverType, location, available, placeable = available } = availabilitySchema.parse(request.body);
    known(() => {
      catalogue.setAvailable(serverType, available, location);
      catalogue.setPlaceable(serverType, placeable, location);
    });
    return reply.code(204).send();
  });
  app.post('/control/catalogue/deprecations', async (request, reply) => {
    const body = deprecationSchema.parse(request.body);
    known(() => {
      if ('image' in body) catalogue.deprecateImage(body.image, body.deprecated);
      else catalogue.deprecateServerType(body.serverType, body, body.location);
    });
    return reply.code(204).send();
  });
  app.post('/control/catalogue/prices', async (request, reply) => {
    const { serverType, location, ...price } = priceSchema.parse(request.body);
    known(() => catalogue.setPrice(serverType, price, location));
    return reply.code(204).send();
  });
  app.post('/control/catalogue/snapshots', async (request, reply) => {
    const { project, ...snapshot } = snapshotSchema.parse(request.body);
    return reply.code(201).send({ id: known(() => catalogue.addSnapshot(project, snapshot)) });
  });
  app.post('/control/action-failures', async (request, reply) => {
    const { command, ...error } = actionFailureSchema.parse(request.body);
    hetzner.failNextAction(command, error);
    return reply.code(204).send();
  });
}

/** The catalogue throws on names that it does not have: the caller's mistake, not ours. */
function known<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw Object.assign(new Error(error instanceof Error ? error.message : String(error)), {
      statusCode: 422,
    });
  }
}
