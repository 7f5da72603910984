import { z } from 'zod';
import { urnName, workersOf } from '../../components/model/names';

const SERVER = 'hcloud:index/server:Server';

const resourceSchema = z.looseObject({ urn: z.string(), type: z.string(), id: z.string().optional() });
const pendingSchema = z.looseObject({
  type: z.string(),
  resource: z.looseObject({
    urn: z.string(),
    type: z.string(),
    inputs: z.record(z.string(), z.unknown()).default({}),
  }),
});
const stateSchema = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(resourceSchema).default([]),
    pending_operations: z.array(pendingSchema).default([]),
  }),
});

/** A resource that was in the making when the engine was killed, or when the vendor's answer was lost. */
export interface PendingCreate {
  readonly name: string;
  readonly type: string;
  /** As the engine was to send them; secret ones are encrypted. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** When it was first asked for at the earliest, seconds since 1970, where that is known. */
  readonly since?: number;
}

/** What recovery needs of a stack's exported state; secrets in it stay encrypted. */
export interface ExportedState {
  /** Workers whose servers the state holds. */
  readonly workers: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
  readonly pendingCreates: readonly PendingCreate[];
  /** The state without its pending operations, to be imported; undefined when it has none. */
  readonly settled: string | undefined;
}

/** @param text of `pulumi stack export`. @throws ZodError when it is none */
export function readExportedState(text: string): ExportedState {
  const state = stateSchema.parse(JSON.parse(text));
  const { resources, pending_operations: pending } = state.deployment;
  const servers = resources.filter(({ type, id }) => type === SERVER && id !== undefined);
  return {
    workers: new Set(workersOf(servers.map(({ urn }) => urnName(urn)))),
    ids: new Set(resources.flatMap(({ id }) => id ?? [])),
    pendingCreates: pending
      .filter(({ type }) => type === 'creating')
      .map(({ resource }) => ({ name: urnName(resource.urn), type: resource.type, inputs: resource.inputs })),
    settled:
      pending.length === 0
        ? undefined
        : JSON.stringify({ ...state, deployment: { ...state.deployment, pending_operations: [] } }),
  };
}
