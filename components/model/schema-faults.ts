import { z } from 'zod';
import { stackConfigSchema } from './config-schema';
import type { ConfigFault } from './errors';
import { didYouMean } from './near-matches';

/** Namespace of this program's keys in a stack's file. */
export const CONFIG_NAMESPACE = 'worker-pools';

/** A key of the file whose value may be a secret is never quoted back. */
const SENSITIVE = /secret|token|password|url|env|args|headers|key/i;
/** A URL with a password is not quoted either, wherever it stands by mistake. */
const URL_WITH_USER = /:\/\/[^/\s]*@/;

/** The schema's findings in the words of this project: key path, what was given, what would be right. */
export function schemaFaults(error: z.ZodError, raw: unknown): ConfigFault[] {
  return error.issues.flatMap((issue) => describe(issue, raw));
}

function describe(issue: z.core.$ZodIssue, raw: unknown): ConfigFault[] {
  const path = keyPath(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: keyPath([...issue.path, key]),
        message: describeUnknownKey(key, keysAt(issue.path)),
      }));
    case 'invalid_union':
      return describeUnion(issue, raw);
    case 'invalid_key':
      return issue.issues.map((inner) => ({ path, message: inner.message }));
    default: {
      const given = valueAt(raw, issue.path);
      if (given === undefined)
        return [
          {
            path,
            message: `is missing (${issue.message.replace(/^Invalid input: /, '').replace(/, received undefined/, '')})`,
          },
        ];
      return [
        { path, message: `${issue.message.replace(/^Invalid input: /, '')}${quote(issue.path, given)}` },
      ];
    }
  }
}

/** A key that only another option of a union has is known, but not here. */
function describeUnknownKey(key: string, known: string[]): string {
  return known.includes(key)
    ? 'cannot be given together with the keys beside it; leave one or the other out'
    : `is not a known key.${didYouMean(key, known)}`;
}

/** A union's own message says nothing: the branch that the value comes nearest to does. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, raw: unknown): ConfigFault[] {
  const depth = (branch: z.core.$ZodIssue[]): number =>
    branch.reduce((sum, inner) => sum + (inner.code === 'unrecognized_keys' ? inner.keys.length * 2 : 1), 0);
  const nearest = [...issue.errors].sort((a, b) => depth(a) - depth(b))[0];
  if (nearest && nearest.length > 0) {
    return nearest.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }, raw));
  }
  const given = valueAt(raw, issue.path);
  return [{ path: keyPath(issue.path), message: `${issue.message}${quote(issue.path, given)}` }];
}

function keyPath(path: readonly PropertyKey[]): string {
  const joined = path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
  return `${CONFIG_NAMESPACE}:${joined}`;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  );
}

function quote(path: readonly PropertyKey[], value: unknown): string {
  if (path.some((key) => SENSITIVE.test(String(key)))) return '';
  if (typeof value === 'string' && URL_WITH_USER.test(value)) return '';
  if (typeof value === 'string') return value.length <= 60 ? `; it is "${value}"` : '';
  return typeof value === 'number' || typeof value === 'boolean' ? `; it is ${value}` : '';
}

/** The keys that the schema knows at a path, for near matches. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let schemas: z.core.$ZodType[] = [stackConfigSchema];
  for (const key of path) {
    schemas = schemas.flatMap((schema) => children(schema, key));
  }
  return schemas.flatMap((schema) => Object.keys(shapeOf(schema)));
}

function children(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  return options(schema).flatMap((option) => {
    if (option instanceof z.ZodRecord) return [option.valueType];
    if (option instanceof z.ZodArray) return [option.element];
    const child = shapeOf(option)[String(key)];
    return child ? options(child) : [];
  });
}

/** A schema without its wrappers; a union is all its options. */
function options(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return options(schema.def.innerType);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => options(option));
  return [schema];
}

function shapeOf(schema: z.core.$ZodType): Record<string, z.core.$ZodType> {
  return Object.assign(
    {},
    ...options(schema).map((option) => (option instanceof z.ZodObject ? (option.shape as object) : {})),
  ) as Record<string, z.core.$ZodType>;
}
