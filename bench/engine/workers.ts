import { EMPTY_POOL, launch, remove, type Launch, type Membership } from '../../components/model/membership';
import type { BenchStack } from './stack';

export const POOL = 'ci';
const PLACEMENT = { serverType: 'cx33', location: 'fsn1' };

/** What differs between the kinds of workers that are measured. */
export interface Shape {
  name: string;
  privateNetwork: boolean;
  /** Placement groups. */
  spread: boolean;
  /** An address record for each worker. */
  record: boolean;
}

export const PLAIN: Shape = { name: 'plain', privateNetwork: false, spread: false, record: false };

/** Every worker has a public address and joins the tailnet with a key of its own. */
export const SHAPES: readonly Shape[] = [
  PLAIN,
  { name: 'private network', privateNetwork: true, spread: false, record: false },
  { name: 'placement group', privateNetwork: false, spread: true, record: false },
  { name: 'network + group', privateNetwork: true, spread: true, record: false },
  { name: 'network + group + DNS record', privateNetwork: true, spread: true, record: true },
];

/** Writes the stack's file for workers of this shape; `size` of them in runs of the command line. */
export function configureWorkers(
  stack: BenchStack,
  shape: Shape,
  size: number,
  provider: Record<string, string>,
): void {
  stack.configure({
    ...provider,
    'worker-pools:access': {
      connectivity: 'tailscale',
      sshKeys: [stack.publicKeyFile],
      tags: ['tag:worker'],
    },
    ...(shape.privateNetwork ? { 'worker-pools:network': { cidr: '10.20.0.0/16', zone: 'eu-central' } } : {}),
    ...(shape.record ? { 'worker-pools:dns': { zone: 'sandbox.example', workers: true } } : {}),
    'worker-pools:service': { url: 'https://workers.example.com' },
    'worker-pools:pools': {
      [POOL]: {
        size: { fixed: size },
        slots: 4,
        image: 'debian-12',
        placements: [PLACEMENT],
        spread: shape.spread,
        workload: {
          container: { image: 'acme/runner:1.4', env: { QUEUE_URL: 'postgres://runner@db.example.com/ci' } },
        },
      },
    },
  });
}

/** The pool's membership with so many members more, or fewer (the oldest go). */
export function resized(membership: Membership, change: number, shape: Shape, now: Date): Membership {
  const pool = membership[POOL] ?? EMPTY_POOL;
  const template: Launch = {
    ...PLACEMENT,
    configHash: '0123456789abcdef',
    configHashVersion: 1,
    launchedAt: now.toISOString(),
    spread: shape.spread,
  };
  return {
    [POOL]:
      change >= 0
        ? launch(
            POOL,
            pool,
            Array.from({ length: change }, () => template),
          )
        : remove(
            pool,
            pool.members.slice(0, -change).map(({ id }) => id),
          ),
  };
}
