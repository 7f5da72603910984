import { z } from 'zod';
import type { PropertyChange, ResourceChange } from './report';
import type { PlannedResource } from './plan';

/** What a resource is called among people. */
const KINDS: Record<string, string> = {
  'hcloud:index/server:Server': 'server',
  'hcloud:index/firewall:Firewall': 'firewall',
  'hcloud:index/network:Network': 'network',
  'hcloud:index/networkSubnet:NetworkSubnet': 'subnet',
  'hcloud:index/networkRoute:NetworkRoute': 'route',
  'hcloud:index/placementGroup:PlacementGroup': 'placement group',
  'hcloud:index/sshKey:SshKey': 'SSH key',
  'tailscale:index/tailnetKey:TailnetKey': 'tailnet key',
  'cloudflare:index/dnsRecord:DnsRecord': 'DNS record',
  'command:local:Command': 'local command',
};
const WORKER = 'workerpools:index:Worker';
const ACTIONS = ['create', 'update', 'replace', 'delete'] as const;
/** What stands for a value that only the update will know (sdk/go/common/resource/plugin, "UnknownStringValue"). */
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
const LONGEST_VALUE = 120;
const NOTHING = 'nothing';

export function isServer({ type }: Pick<PlannedResource, 'type'>): boolean {
  return KINDS[type] === 'server';
}

/** The one machine that others reach the internet through. */
export function isGateway({ before, after }: PlannedResource): boolean {
  const labels = (after ?? before)?.['labels'];
  return typeof labels === 'object' && labels !== null && 'role' in labels;
}

/** Every real resource that the plan touches, in its order; components are no resources of anybody's. */
export function changedResources(resources: readonly PlannedResource[], workers: number): ResourceChange[] {
  return resources.flatMap((resource) => {
    const action = ACTIONS.find((candidate) => candidate === resource.op);
    if (!action || resource.type.startsWith('workerpools:') || isSpentKey(resource, resources)) return [];
    const worker = workerOf(resource.parent);
    const takesDown = action === 'create' || action === 'update' ? undefined : victims(resource, workers);
    return [
      {
        action,
        kind: KINDS[resource.type] ?? resource.type.split(':').at(-1)!,
        name: resource.name,
        urn: resource.urn,
        ...(worker === undefined ? {} : { worker }),
        properties: propertiesOf(resource, action),
        ...(takesDown === undefined ? {} : { takesDown }),
      },
    ];
  });
}

/** Single-use keys die with a machine's first boot, and the tailnet forgets dead ones: a worker that stands needs none. */
function isSpentKey({ type, op, parent }: PlannedResource, all: readonly PlannedResource[]): boolean {
  return (
    KINDS[type] === 'tailnet key' &&
    op === 'create' &&
    all.some((other) => isServer(other) && other.parent === parent && other.op !== 'create')
  );
}

/** The worker that a component of this URN is. */
function workerOf(parent: string): string | undefined {
  const [, , types = '', name] = parent.split('::');
  return types.split('$').at(-1) === WORKER ? name : undefined;
}

function victims(resource: PlannedResource, workers: number): string | undefined {
  const inputs = resource.before ?? {};
  switch (KINDS[resource.type]) {
    case 'server':
      return isGateway(resource)
        ? 'the way out of all workers without a public address'
        : `worker ${workerOf(resource.parent) ?? resource.name} and the jobs on it`;
    case 'network':
    case 'subnet':
      return `the private addresses of ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
    case 'route':
      return 'the way out of all workers without a public address';
    case 'DNS record':
      return `the name ${String(inputs['name'])}`;
    default:
      return undefined;
  }
}

function propertiesOf(
  { type, before, after, differs }: PlannedResource,
  action: ResourceChange['action'],
): PropertyChange[] {
  // A firewall's rules are why one looks at it, and open and closed are two resources.
  if (KINDS[type] === 'firewall') {
    if (action === 'delete' && rules(before ?? {}) === NOTHING) return [];
    return [
      {
        name: 'lets in',
        ...(before && action !== 'create' ? { before: rules(before) } : {}),
        ...(after && action !== 'delete' ? { after: rules(after) } : {}),
      },
    ];
  }
  if (action === 'create' || action === 'delete') return [];
  const names = [...new Set(differs.map((path) => path.split(/[.[]/, 1)[0]!))];
  return names.map((name) => ({
    name,
    ...shown('before', before?.[name]),
    ...shown('after', after?.[name]),
  }));
}

function shown(side: 'before' | 'after', value: unknown): Partial<PropertyChange> {
  if (value === undefined) return {};
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.includes('[secret]')) return { [side]: '[secret]' };
  if (text.includes(UNKNOWN)) return { [side]: 'known after the update' };
  return text.length > LONGEST_VALUE ? {} : { [side]: text };
}

const rulesSchema = z.array(
  z.object({
    direction: z.string(),
    protocol: z.string(),
    port: z.string().optional(),
    sourceIps: z.array(z.string()).default([]),
  }),
);

function rules(inputs: Record<string, unknown>): string {
  const open = (rulesSchema.safeParse(inputs['rules']).data ?? [])
    .filter(({ direction }) => direction === 'in')
    .map(({ protocol, port, sourceIps }) =>
      [protocol, ...(port === undefined ? [] : [port]), 'from', sourceIps.join(', ')].join(' '),
    );
  return open.length === 0 ? NOTHING : open.join('; ');
}
