import { z } from 'zod';
import type { Kernel, Vendor } from '../kernel/vendor';
import { BLOCK_SECONDS, fullBucket, TOO_MANY_REQUESTS } from './rate-limit';
import { Records } from './records';
import { refusal, registerRoutes } from './routes';
import { type CloudflareSettings, cloudflareSettingsSchema, planLimits } from './settings';
import type { CloudflareState, Store } from './state';

export { type CloudflareSettings, cloudflareSettingsSchema };

/** Cloudflare's HTTP API with one local account behind it: its zones and their DNS records. */
export interface Cloudflare extends Vendor {
  /** The account's API token: 40 characters, since the clients check the form. */
  readonly token: string;
  readonly zones: readonly { id: string; name: string }[];
}

/** Creates the local account; the token and the zones are drawn at once, so that `reset` keeps them. */
export function createCloudflare(kernel: Kernel, settings: CloudflareSettings): Cloudflare {
  const store: Store = { state: initialState(kernel, settings) };
  const records = new Records(kernel, store, planLimits(settings));
  return {
    name: 'cloudflare',
    prefix: '/client/v4',
    get token() {
      return store.state.token;
    },
    get zones() {
      return store.state.zones.map(({ id, name }) => ({ id, name }));
    },
    register: (app) => {
      void app.register(
        async (scope) => {
          scope.addHook('onRequest', async () => kernel.schedule.runDue());
          registerRoutes(scope, { kernel, settings, store, records });
        },
        { prefix: '/client/v4' },
      );
    },
    errorBody: (status, code, message) => {
      const numeric = Number(code);
      return refusal({ code: Number.isInteger(numeric) ? numeric : status, message });
    },
    rateLimited: () => ({
      code: String(TOO_MANY_REQUESTS.code),
      message: TOO_MANY_REQUESTS.message,
      headers: { 'retry-after': String(BLOCK_SECONDS) },
    }),
    snapshot: () => structuredClone(store.state),
    restore: (data) => {
      store.state = structuredClone(snapshotSchema.parse(data));
    },
    reset: () => {
      const bucket = fullBucket(settings.requestsPerFiveMinutes, kernel.clock.now());
      store.state = { ...store.state, records: {}, bucket };
    },
  };
}

function initialState({ clock, random }: Kernel, settings: CloudflareSettings): CloudflareState {
  const id = (): string => random.text(32, '0123456789abcdef');
  const createdOn = new Date(clock.now()).toISOString();
  return {
    token: random.text(40),
    tokenId: id(),
    accountId: id(),
    zones: settings.zones.map((name) => ({ id: id(), name, createdOn })),
    records: {},
    bucket: fullBucket(settings.requestsPerFiveMinutes, clock.now()),
  };
}

/** A snapshot is the sandbox's own writing; the check is only that it is one at all. */
const snapshotSchema = z.custom<CloudflareState>(
  (data) => z.looseObject({ token: z.string(), zones: z.array(z.unknown()) }).safeParse(data).success,
  'not a snapshot of the local Cloudflare account',
);
