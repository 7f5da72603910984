import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Access, type Caller, readBasic, requireScope } from './access';
import { passes, viewDevice } from './device-view';
import type { Devices } from './devices';
import { badRequest, notFound, TailscaleError } from './errors';
import { type AuthKeys, createKeySchema } from './keys';
import { nameOf } from './names';
import { checkPolicy, type Policy } from './policy';
import type { TailscaleSettings } from './settings';
import type { Device, Store } from './state';

export interface Parts {
  settings: TailscaleSettings;
  store: Store;
  access: Access;
  keys: AuthKeys;
  devices: Devices;
  policy: Policy;
}

type Handler = (request: FastifyRequest, reply: FastifyReply, caller: Caller) => unknown;

/** The HTTP side, in a scope of its own whose prefix is the vendor's `/api/v2`. */
export function registerRoutes(scope: FastifyInstance, parts: Parts): void {
  // The vendor goes by the route, not by the content type, so bodies stay text until a route reads them.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error instanceof TailscaleError ? error.status : (error.statusCode ?? 500);
    return reply.code(status).send({ message: error.message });
  });
  scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ message: 'not found' }));

  const route = (method: 'GET' | 'POST' | 'DELETE', path: string, needed: string, handler: Handler): void => {
    scope.route({
      method,
      url: path,
      handler: async (request, reply) => {
        const caller = parts.access.authenticate(request.headers.authorization);
        checkTailnet(request, parts.settings.tailnetName);
        requireScope(caller, needed);
        return handler(request, reply, caller);
      },
    });
  };
  tokenRoutes(scope, parts);
  keyRoutes(route, parts);
  deviceRoutes(route, parts);
  policyRoutes(route, parts);
  tailnetRoutes(route, parts);
}

type Route = (method: 'GET' | 'POST' | 'DELETE', path: string, needed: string, handler: Handler) => void;

function tokenRoutes(scope: FastifyInstance, { access }: Parts): void {
  scope.post('/oauth/token', (request) => {
    const form = new URLSearchParams(text(request));
    const grant = form.get('grant_type') ?? 'client_credentials';
    if (grant !== 'client_credentials') throw badRequest(`unsupported grant_type "${grant}"`);
    const basic = readBasic(request.headers.authorization);
    const id = basic?.user ?? form.get('client_id') ?? '';
    const secret = basic?.password ?? form.get('client_secret') ?? '';
    return access.issueToken(id, secret, form.get('scope') ?? undefined);
  });
  scope.post('/oauth/token-exchange', () => {
    throw badRequest(
      'workload identity federation is not part of the sandbox: use the id and secret of an OAuth client',
    );
  });
}

function keyRoutes(route: Route, { keys }: Parts): void {
  route('POST', '/tailnet/:tailnet/keys', 'auth_keys', (request, _reply, caller) =>
    keys.create(caller, body(request, createKeySchema)),
  );
  route('GET', '/tailnet/:tailnet/keys', 'auth_keys:read', (request, _reply, caller) =>
    keys.list(caller, query(request).get('all')?.[0] === 'true'),
  );
  route('GET', '/tailnet/:tailnet/keys/:id', 'auth_keys:read', (request) => keys.get(param(request, 'id')));
  route('DELETE', '/tailnet/:tailnet/keys/:id', 'auth_keys', async (request, reply) => {
    await keys.delete(param(request, 'id'));
    return reply.code(200).send();
  });
}

function deviceRoutes(route: Route, { devices, settings }: Parts): void {
  const view = (device: Device, allFields: boolean): Record<string, unknown> =>
    viewDevice(device, nameOf(device, settings), allFields);
  const wantsAll = (request: FastifyRequest): boolean => query(request).get('fields')?.[0] === 'all';
  const change = <T>(
    path: string,
    needed: string,
    schema: z.ZodType<T>,
    apply: (device: Device, asked: T, caller: Caller) => Promise<void>,
    answer: (device: Device) => object | undefined = () => undefined,
  ): void =>
    route('POST', `/device/:id/${path}`, needed, async (request, reply, caller) => {
      const id = param(request, 'id');
      await apply(await devices.find(id), body(request, schema), caller);
      return answer(await devices.find(id)) ?? reply.code(200).send();
    });

  route('GET', '/tailnet/:tailnet/devices', 'devices:core:read', async (request) => {
    const filters = query(request);
    filters.delete('fields');
    const listed = (await devices.all()).filter((device) => passes(view(device, false), filters));
    return { devices: listed.map((device) => view(device, wantsAll(request))) };
  });
  route('GET', '/device/:id', 'devices:core:read', async (request) =>
    view(await devices.find(param(request, 'id')), wantsAll(request)),
  );
  route('DELETE', '/device/:id', 'devices:core', async (request, reply) => {
    await devices.remove(await devices.find(param(request, 'id')));
    return reply.code(200).send();
  });
  change('authorized', 'devices:core', z.object({ authorized: z.boolean() }), (device, asked) =>
    devices.authorize(device, asked.authorized),
  );
  change(
    'tags',
    'devices:core',
    z.object({ tags: z.array(z.string()).nullable() }),
    (device, asked, caller) => devices.setTags(caller, device, asked.tags ?? []),
  );
  change('key', 'devices:core', z.object({ keyExpiryDisabled: z.boolean() }), (device, asked) =>
    devices.setKeyExpiry(device, asked.keyExpiryDisabled),
  );
  change('name', 'devices:core', z.object({ name: z.string() }), (device, asked) =>
    devices.rename(device, asked.name),
  );
  change('ip', 'devices:core', z.object({ ipv4: z.string() }), (device, asked) =>
    devices.setIpv4(device, asked.ipv4),
  );
  const routesOf = (device: Device): object => ({
    advertisedRoutes: device.advertisedRoutes,
    enabledRoutes: device.enabledRoutes,
  });
  route('GET', '/device/:id/routes', 'devices:routes:read', async (request) =>
    routesOf(await devices.find(param(request, 'id'))),
  );
  change(
    'routes',
    'devices:routes',
    z.object({ routes: z.array(z.string()) }),
    (device, asked) => devices.setRoutes(device, asked.routes),
    routesOf,
  );
}

function policyRoutes(route: Route, { policy }: Parts): void {
  const send = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const asText = request.headers.accept?.includes('application/hujson') ?? false;
    void reply.header('etag', policy.etag);
    return asText ? reply.type('application/hujson').send(policy.hujson) : reply.send(policy.json);
  };
  route('GET', '/tailnet/:tailnet/acl', 'policy_file:read', send);
  route('POST', '/tailnet/:tailnet/acl', 'policy_file', async (request, reply) => {
    await policy.set(text(request), request.headers['if-match']);
    return send(request, reply);
  });
  // A refused policy is a successful validation with a message in it.
  route('POST', '/tailnet/:tailnet/acl/validate', 'policy_file:read', (request) => {
    try {
      checkPolicy(text(request));
      return {};
    } catch (error) {
      if (error instanceof TailscaleError) return { message: error.message };
      throw error;
    }
  });
}

function tailnetRoutes(route: Route, { store, settings }: Parts): void {
  route('GET', '/tailnet/:tailnet/dns/preferences', 'dns:read', () => ({ magicDNS: store.state.magicDns }));
  route('POST', '/tailnet/:tailnet/dns/preferences', 'dns', (request) => {
    store.state.magicDns = body(request, z.object({ magicDNS: z.boolean() })).magicDNS;
    return { magicDNS: store.state.magicDns };
  });
  route('GET', '/tailnet/:tailnet/settings', 'feature_settings:read', () => ({
    aclsExternallyManagedOn: false,
    aclsExternalLink: '',
    devicesApprovalOn: settings.deviceApproval,
    devicesAutoUpdatesOn: false,
    devicesKeyDurationDays: 180,
    usersApprovalOn: false,
    usersRoleAllowedToJoinExternalTailnets: 'admin',
    networkFlowLoggingOn: false,
    regionalRoutingOn: false,
    postureIdentityCollectionOn: false,
    httpsEnabled: true,
  }));
}

function checkTailnet(request: FastifyRequest, name: string): void {
  const { tailnet } = z.object({ tailnet: z.string().optional() }).parse(request.params);
  if (tailnet !== undefined && tailnet !== '-' && tailnet !== name) throw notFound('tailnet');
}

function param(request: FastifyRequest, name: string): string {
  return z.record(z.string(), z.string()).parse(request.params)[name] ?? '';
}

/** Query parameters by name, each with its values in order. */
function query(request: FastifyRequest): Map<string, string[]> {
  const parameters = new URL(request.url, 'http://localhost').searchParams;
  return new Map([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
}

function text(request: FastifyRequest): string {
  return typeof request.body === 'string' ? request.body : '';
}

function body<T>(request: FastifyRequest, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text(request));
  } catch {
    throw badRequest('invalid request body: not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRequest(`invalid request body: ${issue?.path.join('.')}: ${issue?.message}`);
}
