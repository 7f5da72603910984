import { stripVTControlCharacters } from 'node:util';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import { z } from 'zod';
import { membershipSchema } from '../../components/model/membership';
import { urnName } from '../../components/model/names';
import type { StackOutputs } from '../../components/stack-record';
import type { Violation } from './report';

const outputsSchema = z.object({
  membership: membershipSchema,
  network: z.string().nullable().default(null),
  pools: z.record(
    z.string(),
    z.object({
      min: z.number(),
      max: z.number(),
      slots: z.number(),
      configHash: z.string(),
      configHashVersion: z.number(),
    }),
  ),
});

const stateSchema = z.object({
  parent: z.string().default(''),
  inputs: z.record(z.string(), z.unknown()).default({}),
});

/** One resource of the plan, changed or not. */
export interface PlannedResource {
  urn: string;
  type: string;
  name: string;
  op: string;
  parent: string;
  /** Inputs as recorded, and as declared; undefined where it is not there. Secrets are blanked by the engine. */
  before: Record<string, unknown> | undefined;
  after: Record<string, unknown> | undefined;
  /** Paths of what differs. */
  differs: string[];
}

/** What the engine's events say. */
export interface Plan {
  /** Root outputs as the last update recorded them; undefined for a new stack. */
  before: StackOutputs | undefined;
  /** Root outputs as planned; undefined when the program did not come to its end. */
  after: StackOutputs | undefined;
  resources: PlannedResource[];
  errors: string[];
  warnings: string[];
  violations: Violation[];
}

const STACK = 'pulumi:pulumi:Stack';
/** What the program only reads, and what the engine makes for itself. */
const NOT_OURS = /^pulumi:(pulumi|providers):/;
/** The engine's own summary of errors that it tells besides. */
const SUMMARY = /^(preview|update) failed$/;
/** A policy that meets what only the update will know is not broken by that. */
const NOT_JUDGED = /^can't run policy /;

/** Reads a preview's events. Debug messages quote resources in plain text and are not looked at. */
export function readPlan(events: readonly EngineEvent[]): Plan {
  const plan: Plan = {
    before: undefined,
    after: undefined,
    resources: [],
    errors: [],
    warnings: [],
    violations: [],
  };
  const resources = new Map<string, PlannedResource>();
  for (const { resourcePreEvent, resOutputsEvent, diagnosticEvent, policyEvent } of events) {
    if (diagnosticEvent) noteDiagnostic(diagnosticEvent, plan);
    if (policyEvent) noteViolation(policyEvent, plan);
    if (resourcePreEvent) noteResource(resourcePreEvent.metadata, resources);
    const metadata = resOutputsEvent?.metadata;
    if (metadata?.type === STACK) {
      plan.before = outputsSchema.safeParse(metadata.old?.outputs).data ?? plan.before;
      plan.after = outputsSchema.safeParse(metadata.new?.outputs).data ?? plan.after;
    }
  }
  plan.resources = [...resources.values()];
  return plan;
}

type Metadata = NonNullable<EngineEvent['resourcePreEvent']>['metadata'];

function noteResource(metadata: Metadata, resources: Map<string, PlannedResource>): void {
  const { urn, type } = metadata;
  if (NOT_OURS.test(type)) return;
  const op = actionOf(metadata.op);
  const known = resources.get(urn);
  // A replacement comes as three steps; the first two say nothing more than the third.
  if (known && known.op === 'replace') {
    known.differs = [...new Set([...known.differs, ...differing(metadata)])];
    known.after ??= stateOf(metadata.new)?.inputs;
    return;
  }
  const before = stateOf(metadata.old);
  const after = stateOf(metadata.new);
  resources.set(urn, {
    urn,
    type,
    name: urnName(urn),
    op,
    parent: (after ?? before)?.parent ?? '',
    before: before?.inputs,
    after: after?.inputs,
    differs: differing(metadata),
  });
}

function actionOf(op: string): string {
  return op.includes('replace') ? 'replace' : op;
}

function differing({ detailedDiff, diffs, keys }: Metadata): string[] {
  const paths = Object.keys(detailedDiff ?? {});
  return paths.length > 0 ? paths : (diffs ?? keys ?? []);
}

function stateOf(state: unknown): z.infer<typeof stateSchema> | undefined {
  return state === null || state === undefined ? undefined : stateSchema.parse(state);
}

function noteDiagnostic(
  { prefix, message, severity }: NonNullable<EngineEvent['diagnosticEvent']>,
  plan: Plan,
): void {
  if (prefix === 'debug: ') return;
  const text = clean(message);
  if (severity === 'error' && text !== '' && !SUMMARY.test(text)) plan.errors.push(text);
  if (severity === 'warning' && text !== '') plan.warnings.push(text);
}

function noteViolation(
  event: NonNullable<EngineEvent['policyEvent']> & { severity?: string },
  plan: Plan,
): void {
  const message = clean(event.message);
  if (NOT_JUDGED.test(message)) return;
  const lines = message.split('\n');
  plan.violations.push({
    policy: event.policyName,
    level: event.enforcementLevel === 'mandatory' ? 'mandatory' : 'advisory',
    ...(event.severity ? { severity: event.severity } : {}),
    ...(event.resourceUrn && !event.resourceUrn.includes(`::${STACK}::`)
      ? { resource: urnName(event.resourceUrn) }
      : {}),
    // The first line is the policy's description.
    message: lines.slice(1).join('\n') || message,
  });
}

/** Without colours and without white space around it. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).trim();
}
