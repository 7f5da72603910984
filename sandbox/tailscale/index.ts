import { z } from 'zod';
import type { AddressPool, TailnetHost } from '../kernel/lifecycle';
import type { Kernel, Vendor } from '../kernel/vendor';
import { Access } from './access';
import { Devices } from './devices';
import { credential, vendorId } from './identifiers';
import { AuthKeys } from './keys';
import { initialPolicy, Policy } from './policy';
import { registerRoutes } from './routes';
import { type TailscaleSettings, tailscaleSettingsSchema } from './settings';
import { SimulatedTailnet } from './simulated';
import type { OAuthClient, Store, TailscaleState } from './state';
import type { Tailnet } from './tailnet';

export { type TailscaleSettings, tailscaleSettingsSchema };

/** Tailscale's HTTP API with one local tailnet behind it. */
export interface Tailscale extends Vendor, TailnetHost {
  /** The first OAuth client of the settings. */
  readonly oauthClient: { id: string; secret: string };
  /** All of them, in the order of the settings. */
  readonly oauthClients: readonly OAuthClient[];
  /** The admin's API key, where the settings enable one. */
  readonly apiKey: string | undefined;
  /** What MagicDNS names end in. */
  readonly tailnetName: string;
  /** Host names of the devices; of a real tailnet, as they were when the API was last asked for devices. */
  hostnames(): string[];
}

/** Creates the local tailnet, a played one unless another is given; credentials are drawn at once, so that `reset` keeps them. */
export function createTailscale(
  kernel: Kernel,
  settings: TailscaleSettings,
  deps: { addresses: AddressPool; tailnet?: Tailnet },
): Tailscale {
  const store: Store = { state: initialState(kernel, settings) };
  const access = new Access(kernel, store);
  const tailnet = deps.tailnet ?? new SimulatedTailnet(kernel, settings, store, deps.addresses);
  const policy = new Policy(store, tailnet);
  const keys = new AuthKeys(kernel, settings, store, policy, tailnet);
  const devices = new Devices(kernel.clock, settings, policy, tailnet);
  return {
    name: 'tailscale',
    prefix: '/api/v2',
    tailnetName: settings.tailnetName,
    hostnames: () => tailnet.lastKnownDevices().map(({ hostname }) => hostname),
    get oauthClient() {
      const [first] = store.state.oauthClients;
      if (!first) throw new Error('the tailnet has no OAuth client');
      return { id: first.id, secret: first.secret };
    },
    get oauthClients() {
      return store.state.oauthClients;
    },
    get apiKey() {
      return store.state.apiKey;
    },
    register: (app) => {
      void app.register(
        async (scope) => {
          scope.addHook('onRequest', async () => kernel.schedule.runDue());
          registerRoutes(scope, { settings, store, access, keys, devices, policy });
        },
        { prefix: '/api/v2' },
      );
    },
    errorBody: (_status, _code, message, details) => ({
      message,
      ...(details !== undefined && { data: details }),
    }),
    rateLimited: () => ({ code: '', message: 'rate limit exceeded', headers: { 'retry-after': '30' } }),
    snapshot: () => structuredClone(store.state),
    restore: (data) => {
      if (deps.tailnet) throw new Error('a real tailnet cannot be put back from a snapshot');
      store.state = structuredClone(snapshotSchema.parse(data));
    },
    reset: async () => {
      await tailnet.reset();
      keys.reset();
      store.state = {
        ...store.state,
        accessTokens: {},
        policy: initialPolicy(settings),
        magicDns: true,
      };
    },
    enrol: ({ authKey, advertiseTags, ...machine }) =>
      tailnet.enrol(machine, () => keys.spend(authKey, advertiseTags)),
    setOnline: (nodeId, online) => tailnet.setOnline(nodeId, online),
    logout: (nodeId) => tailnet.logout(nodeId),
  };
}

function initialState(kernel: Kernel, settings: TailscaleSettings): TailscaleState {
  const { random } = kernel;
  const anyId = (): string => vendorId(random, 'k', () => false);
  return {
    oauthClients: settings.oauthClients.map((client) => {
      const id = anyId();
      return { ...client, id, secret: credential(random, 'client', id) };
    }),
    apiKey: settings.enableApiKey ? credential(random, 'api', anyId()) : undefined,
    accessTokens: {},
    keys: {},
    devices: {},
    policy: initialPolicy(settings),
    magicDns: true,
  };
}

/** A snapshot is the sandbox's own writing; the check is only that it is one at all. */
const snapshotSchema = z.custom<TailscaleState>(
  (data) =>
    z.looseObject({ oauthClients: z.array(z.unknown()), devices: z.looseObject({}) }).safeParse(data).success,
  'not a snapshot of the local tailnet',
);
