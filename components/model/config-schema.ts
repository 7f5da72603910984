import { z } from 'zod';
import { isIpv4Network, isNetwork } from './cidr';
import { NAME_PATTERN, POOL_NAME_LIMIT, RESERVED_POOL_NAMES } from './names';
import { queueSchema } from './queue-config';

const text = z.string().min(1);
const count = z.int().min(0);
const network = z
  .string()
  .refine(isNetwork, { error: 'must be a network in CIDR form without host bits, e.g. 203.0.113.0/24' });
const ipv4Network = z.string().refine(isIpv4Network, {
  error: 'must be an IPv4 network in CIDR form without host bits, e.g. 10.20.0.0/16',
});
const domain = z.string().regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/, {
  error: 'must be a domain name in lower case, e.g. example.com',
});
const hostName = z
  .string()
  .regex(/^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, {
    error: 'must be a host name in lower case, e.g. app.example.com',
  });
const dnsLabel = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: 'must be one DNS label: lower-case letters, digits and hyphens, at most 63 characters',
});
const port = z.int().min(1).max(65535);
/** Plain enough to stand in a shell command as it is. */
const httpUrl = z
  .string()
  .regex(/^https?:\/\/(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\/[A-Za-z0-9._~%/-]*)?$/, {
    error: 'must be a plain URL that begins with https:// or http://, e.g. https://pools.example.com',
  });

const tag = z.string().regex(/^tag:[a-zA-Z][a-zA-Z0-9-]*$/, {
  error: 'must be a tailnet tag, e.g. tag:worker',
});

const sshSchema = z
  .strictObject({
    port: port.default(22).describe('port that sshd listens on'),
    from: z
      .array(network)
      .default([])
      .describe('networks that may open SSH in direct mode, e.g. 203.0.113.7/32'),
    privateKeyFile: text
      .optional()
      .describe(
        'private key for the checks over SSH (waitForReady, NAT gateway); the SSH agent where absent',
      ),
  })
  .prefault({});

export const accessSchema = z.strictObject({
  connectivity: z.enum(['tailscale', 'direct']).describe('how people and checks reach the workers'),
  sshKeys: z
    .array(text)
    .min(1)
    .describe('public keys: the key itself, or the path of a .pub file (relative to the project, or with ~)'),
  ssh: sshSchema,
  tags: z
    .array(tag)
    .default([])
    .describe('tailnet tags of every worker; the OAuth client must be allowed to give them'),
  tailscale: z
    .strictObject({
      packages: httpUrl.default('https://pkgs.tailscale.com/stable').describe('package repository'),
      loginServer: httpUrl.optional().describe('control server, where it is not Tailscale’s own'),
    })
    .prefault({}),
});

/** As plain as they stand in a machine's scripts. */
const timeServer = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, {
  error: 'must be a host name or an address, e.g. ntp1.example.com',
});
const certificate = z
  .string()
  .regex(/^\s*-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----\s*$/, {
    error: 'must be one certificate as PEM, from -----BEGIN CERTIFICATE----- on',
  });

export const machinesSchema = z.strictObject({
  timeServers: z
    .array(timeServer)
    .default([])
    .describe('NTP servers that machines ask; what their image asks where absent'),
  resolvers: z
    .array(z.ipv4({ error: 'must be an IPv4 address, e.g. 185.12.64.1' }))
    .max(3)
    .default([])
    .describe('name servers of workers without a public address; Hetzner’s own where absent'),
  trustedCertificates: z
    .array(certificate)
    .default([])
    .describe(
      'certificates of private authorities that machines trust: for a login server or a repository of your own',
    ),
  registryMirrors: z
    .array(httpUrl)
    .default([])
    .describe(
      'where Docker asks for images of Docker Hub first: it limits pulls by address, and workers behind a NAT machine share one',
    ),
});

const natGatewaySchema = z.strictObject({
  serverType: text.describe('its server type, e.g. cx23'),
  location: text.describe('its location, e.g. fsn1'),
  image: text.describe('its operating system image, e.g. debian-12'),
  destinations: z
    .array(ipv4Network)
    .min(1)
    .default(['0.0.0.0/0'])
    .describe('networks that workers without a public address reach through the gateway'),
});

export const ownNetworkSchema = z.strictObject({
  cidr: ipv4Network.describe('range of the private network; workers get addresses of it'),
  zone: text.describe('network zone, e.g. eu-central'),
  natGateway: natGatewaySchema
    .optional()
    .describe('the machine through which workers without a public address reach the internet'),
});

export const networkSchema = z.union([
  ownNetworkSchema,
  z.strictObject({
    stack: z
      .string()
      .regex(/^[^/\s]+(\/[^/\s]+){0,2}$/, {
        error: 'must name a stack, e.g. organization/worker-pools/production',
      })
      .describe('the stack whose network is used'),
  }),
]);

export const dnsSchema = z.strictObject({
  zone: domain.describe('zone at Cloudflare'),
  subdomain: dnsLabel
    .optional()
    .describe('records are made under this name of the zone; the environment where absent'),
  wildcard: z
    .boolean()
    .default(false)
    .describe('*.<subdomain>.<zone> points at the workers that serve (traefik)'),
  workers: z.boolean().default(false).describe('<worker>.<subdomain>.<zone> for each worker'),
  tenants: z
    .record(dnsLabel, text)
    .default({})
    .describe('tenant name to pool: <tenant>.<subdomain>.<zone> points at the pool’s workers'),
  proxied: z.boolean().default(false).describe('wildcard and tenant records go through Cloudflare’s proxy'),
});

export const budgetSchema = z.strictObject({
  hourly: z.number().positive().optional().describe('EUR gross an hour'),
  monthly: z.number().positive().optional().describe('EUR gross a month'),
});

export const autoscalingSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('the scaling service changes pools; while false it watches, decides and explains only'),
});

export const serviceSchema = z.strictObject({
  url: httpUrl.describe('worker API of the scaling service, as workers reach it'),
});

const sizeSchema = z.union([
  z
    .strictObject({ min: count.describe('never fewer'), max: count.describe('never more') })
    .refine(({ min, max }) => max >= min, {
      error: 'max is less than min; max must be at least min',
      path: ['max'],
    }),
  z.strictObject({ fixed: count.describe('always as many; follows this file, not a queue') }),
]);

export const placementSchema = z.strictObject({
  serverType: text.describe('e.g. cx33; `worker-pools catalogue` lists what there is'),
  location: text.describe('e.g. fsn1'),
});

const scheduleSchema = z
  .strictObject({
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .min(1)
      .describe('days on which the window begins'),
    from: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time, e.g. 08:00' })
      .describe('when it begins'),
    to: z
      .string()
      .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: 'must be a time, e.g. 18:30' })
      .describe('when it ends; the next day where it is not after `from`'),
    timezone: z
      .string()
      .refine((zone) => Intl.supportedValuesOf('timeZone').includes(zone) || zone === 'UTC', {
        error: 'must be a time zone name, e.g. Europe/Berlin',
      })
      .default('UTC')
      .describe('whose clock `from` and `to` are'),
    min: count.describe('workers in this window'),
  })
  .describe('at least `min` workers in this window');

export const scalingSchema = z.strictObject({
  targetWait: z.number().positive().default(300).describe('seconds a job may wait for a worker'),
  standby: count.default(0).describe('idle workers kept ready'),
  schedule: z
    .array(scheduleSchema)
    .default([])
    .describe('windows with a greater minimum; the greatest counts'),
  rollout: z
    .strictObject({
      maxSurge: count.default(1).describe('workers above the wanted size while drifted ones are replaced'),
      maxUnavailable: count
        .default(0)
        .describe('workers that may be missing while drifted ones are replaced'),
    })
    .refine(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0, {
      error: 'maxSurge and maxUnavailable are both 0, so nothing could ever be replaced; give one of them 1',
    })
    .prefault({}),
});

const containerSchema = z.strictObject({
  image: text.describe('container image, with its tag or digest'),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not the name of an environment variable' }),
      z.string().refine((value) => !value.includes('\0'), {
        error: 'contains a NUL character, which no environment variable can',
      }),
    )
    .default({})
    .describe('environment variables; keep those that open something as secrets'),
  args: z.array(z.string()).default([]).describe('arguments of the container'),
  stopGrace: z.int().min(1).default(30).describe('seconds between SIGTERM and SIGKILL'),
  route: z
    .strictObject({
      host: hostName.describe('host name, or *.name'),
      port: port.describe('port of the container'),
    })
    .optional()
    .describe('host name that Traefik sends to this port of the container'),
});

export const poolSchema = z.strictObject({
  size: sizeSchema.describe('bounds, or a fixed number of workers'),
  slots: z.int().min(1).default(1).describe('jobs that one worker runs at once'),
  image: text.describe('operating system image, e.g. debian-12'),
  placements: z
    .array(placementSchema)
    .min(1)
    .describe('server type and location, in order of preference; the first that can be had is taken'),
  publicNetwork: z
    .strictObject({
      ipv4: z.boolean().default(true).describe('a public IPv4 address for each worker; it costs extra'),
      ipv6: z.boolean().default(true).describe('a public IPv6 network for each worker'),
    })
    .prefault({}),
  spread: z.boolean().default(true).describe('placement groups: workers on different hosts, ten to a group'),
  ingress: z
    .array(
      z.strictObject({
        port: port.describe('TCP port'),
        from: z.array(network).min(1).describe('networks that may open it'),
      }),
    )
    .default([])
    .describe('TCP ports open to the internet; none where absent'),
  workload: z
    .strictObject({
      docker: z.boolean().default(false).describe('install Docker; implied by container and traefik'),
      traefik: z.boolean().default(false).describe('run Traefik in front of the containers'),
      container: containerSchema.optional().describe('what the worker runs'),
    })
    .prefault({}),
  waitForReady: z
    .boolean()
    .default(false)
    .describe('pulumi up ends only when each new worker has said over SSH that its set-up is done'),
  queue: queueSchema.optional().describe('where its jobs wait; without one the size is the minimum'),
  scaling: scalingSchema.prefault({}),
});

const poolName = z
  .string()
  .regex(NAME_PATTERN, { error: 'is not a pool name: use lower-case letters, digits and single hyphens' })
  .max(POOL_NAME_LIMIT, { error: `is too long: a pool name has at most ${POOL_NAME_LIMIT} characters` })
  .refine((name) => !RESERVED_POOL_NAMES.includes(name), {
    error: 'is a name that this program uses itself; choose another',
  });

const registrationSecret = z
  .string()
  .min(32, { error: 'is too short: give at least 32 characters, e.g. from `openssl rand -hex 32`' });

/** Everything under `worker-pools:` in a stack's file. */
export const stackConfigSchema = z.strictObject({
  access: accessSchema.describe('how machines are reached, and by whom'),
  machines: machinesSchema.prefault({}).describe('what every machine is told of its surroundings'),
  network: networkSchema
    .optional()
    .describe('a private network of its own, or another stack’s; none where absent'),
  dns: dnsSchema.optional().describe('records at Cloudflare; none where absent'),
  budget: budgetSchema
    .prefault({})
    .describe('most that the environment may cost; launches stop there, workers that are there go on'),
  service: serviceSchema
    .optional()
    .describe('without it workers never register, so no pool can follow its queue'),
  autoscaling: autoscalingSchema.prefault({}).describe('the master switch of the scaling service'),
  registrationSecret: registrationSecret.describe(
    'workers’ tokens and host keys are derived from it; one for each environment',
  ),
  previousRegistrationSecret: registrationSecret
    .optional()
    .describe('the one before, while it is exchanged: the service takes tokens of either'),
  pools: z.record(poolName, poolSchema).describe('pools by name'),
});

export type StackConfig = z.infer<typeof stackConfigSchema>;
export type PoolConfig = z.infer<typeof poolSchema>;
export type AccessConfig = z.infer<typeof accessSchema>;
export type NetworkConfig = z.infer<typeof networkSchema>;
export type OwnNetworkConfig = z.infer<typeof ownNetworkSchema>;
export type NatGatewayConfig = z.infer<typeof natGatewaySchema>;
export type DnsConfig = z.infer<typeof dnsSchema>;
export type Placement = z.infer<typeof placementSchema>;
