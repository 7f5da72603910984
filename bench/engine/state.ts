import { z } from 'zod';
import type { Cloud } from '../cloud';
import { slope } from '../report/statistics';
import type { Table } from '../report/table';
import { BenchStack } from './stack';

const resourceSchema = z.looseObject({ urn: z.string(), type: z.string() });
type Resource = z.infer<typeof resourceSchema>;
const exportSchema = z.object({
  deployment: z.object({ resources: z.array(resourceSchema) }),
});

/** Sizes of one stack's state, in bytes. */
export interface StateSize {
  workers: number;
  /** The exported JSON without spaces. */
  exported: number;
  onDisk: number;
  /** On disk under PULUMI_DIY_BACKEND_GZIP. */
  gzipped: number;
  /** Bytes of each part for one worker. */
  parts: ReadonlyMap<string, number>;
}

/**
 * Measures the state of a stack of so many workers.
 * @param folder for a second stack with another backend
 */
export async function measureState(
  folder: string,
  cloud: Cloud,
  stack: BenchStack,
  workers: number,
): Promise<StateSize> {
  const text = await stack.exported();
  const compressed = await BenchStack.create(folder, cloud, { PULUMI_DIY_BACKEND_GZIP: 'true' });
  await compressed.import(text);
  return {
    workers,
    exported: text.length,
    onDisk: stack.bytesOnDisk(),
    gzipped: compressed.bytesOnDisk(),
    parts: partsOf(text, workers),
  };
}

/** What a worker's share of an exported state is made of: bytes of each part, averaged over the workers. */
export function partsOf(exported: string, workers: number): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  const { resources } = exportSchema.parse(JSON.parse(exported)).deployment;
  const add = (part: string, bytes: number): void => {
    parts.set(part, (parts.get(part) ?? 0) + bytes / workers);
  };
  for (const resource of resources) {
    const kind = kindOf(resource);
    if (kind === undefined) continue;
    for (const [key, value] of Object.entries(resource)) {
      // Key, colon and comma belong to a value's share.
      const bytes = JSON.stringify(value).length + key.length + 4;
      const userData = kind === 'server' ? userDataIn(key, value) : 0;
      if (userData > 0) add(`server: user data in its ${key}`, userData);
      add(partOf(kind, key), bytes - userData);
    }
  }
  return parts;
}

type Kind = 'server' | 'key' | 'component' | 'record';

function kindOf({ type, urn }: Resource): Kind | undefined {
  if (type === 'pulumi:pulumi:Stack' || type === 'pulumi:pulumi:StackReference') return 'record';
  if (!urn.includes('$workerpools:index:Worker')) return undefined;
  if (type === 'workerpools:index:Worker') return 'component';
  return type === 'hcloud:index/server:Server' ? 'server' : 'key';
}

function partOf(kind: Kind, key: string): string {
  if (kind === 'record') return 'membership, in root outputs and in the reference to itself';
  if (key === 'dependencies' || key === 'propertyDependencies') return 'dependencies';
  if (key === 'sourcePosition' || key === 'stackTrace') return 'source positions and stack traces';
  if (key === 'inputs' || key === 'outputs') return `${kind}: other ${key}`.replace('key: other', 'key:');
  return `${kind}: names, ids, provider, times`;
}

function userDataIn(key: string, value: unknown): number {
  if (key !== 'inputs' && key !== 'outputs') return 0;
  const found = z.object({ userData: z.unknown().optional() }).safeParse(value).data?.userData;
  return found === undefined ? 0 : JSON.stringify(found).length;
}

/** Sizes, and the parts of the largest stack. */
export function stateTables(sizes: readonly StateSize[]): Table[] {
  const columns = [
    (size: StateSize) => size.exported,
    (size: StateSize) => size.onDisk,
    (size: StateSize) => size.gzipped,
  ];
  const rows = sizes.map((size) => [String(size.workers), ...columns.map((bytes) => kib(bytes(size)))]);
  const perWorker =
    sizes.length < 2
      ? []
      : [
          [
            'each worker',
            ...columns.map((bytes) => kib(slope(sizes.map((size) => ({ x: size.workers, y: bytes(size) }))))),
          ],
        ];
  const largest = sizes.at(-1);
  const parts = [...(largest?.parts ?? [])].sort(([, a], [, b]) => b - a);
  return [
    {
      title: 'Size of the state',
      note: '"Each worker" is the slope between the smallest and the largest stack.',
      head: ['workers', 'exported, compact', 'on disk', 'on disk, PULUMI_DIY_BACKEND_GZIP'],
      rows: [...rows, ...perWorker],
    },
    {
      title: `What a worker's state is made of`,
      note: `Bytes of the compact export, at ${largest?.workers ?? 0} workers.`,
      head: ['part', 'bytes'],
      rows: parts.map(([part, bytes]) => [part, String(Math.round(bytes))]),
    },
  ];
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(2)} KiB`;
}
