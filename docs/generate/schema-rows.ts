import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.JSONSchema & {
  /** What a value must be beyond its type, in the words with which a wrong one is refused. */
  rule?: string;
};

/** One key of the configuration, as a row of a table. */
export interface Row {
  /** Path below the section, e.g. `ssh.port`, `schedule[].from`, `tenants.<name>`. */
  readonly key: string;
  readonly type: string;
  /** As it would stand in the file; undefined where there is none. */
  readonly fallback: string | undefined;
  readonly isRequired: boolean;
  readonly meaning: string;
}

/** Variants that have tables of their own rather than a cell. */
const MANY = 3;

/** The schema as JSON Schema, with the rules that only its messages tell. */
export function describeSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (jsonSchema.type !== 'string' || jsonSchema.enum || jsonSchema.const !== undefined) return;
      const rule = ruleOf(zodSchema);
      if (rule !== undefined) (jsonSchema as JsonSchema).rule = rule;
    },
  });
}

/** Objects of the schema, by key. @throws Error where it is no object */
export function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  if (!schema.properties) throw new Error('not an object with known keys');
  return schema.properties as Record<string, JsonSchema>;
}

/** What may stand in its place: the members of a union, or the schema itself. */
export function variantsOf(schema: JsonSchema): JsonSchema[] {
  return schema.oneOf ?? schema.anyOf ?? [schema];
}

/**
 * Every key below a schema, in the schema's order.
 * @param isLeaf keys that are described elsewhere: they get one row, and nothing below them does
 */
export function rowsOf(schema: JsonSchema, isLeaf: (key: string) => boolean = () => false): Row[] {
  return Object.entries(propertiesOf(schema)).flatMap(([key, node]) =>
    rows(key, node, schema.required?.includes(key) ?? false, isLeaf),
  );
}

function rows(key: string, node: JsonSchema, isRequired: boolean, isLeaf: (key: string) => boolean): Row[] {
  const own: Row = {
    key,
    type: typeOf(node),
    fallback: node.default === undefined ? undefined : literal(node.default),
    isRequired,
    meaning: [node.description, node.rule].filter((text) => text !== undefined).join('; '),
  };
  if (isLeaf(key)) return [own];
  const below = (path: string, inner: JsonSchema): Row[] =>
    inner.properties ? rowsOf(inner, (name) => isLeaf(`${path}.${name}`)).map(under(path)) : [];
  const variants = variantsOf(node);
  if (variants.length > 1) return [own, ...variants.flatMap((variant) => below(key, variant))];
  if (node.type === 'array') return [own, ...below(`${key}[]`, node.items as JsonSchema)];
  if (isRecord(node)) return [own, ...below(`${key}.<name>`, node.additionalProperties as JsonSchema)];
  if (node.properties) {
    const inner = below(key, node);
    // A group of settings that has defaults of its own is not a key that anybody has to think of.
    return node.description === undefined ? inner : [own, ...inner];
  }
  return [own];
}

const under =
  (path: string) =>
  (row: Row): Row => ({ ...row, key: `${path}.${row.key}` });

function isRecord({ type, additionalProperties }: JsonSchema): boolean {
  return type === 'object' && typeof additionalProperties === 'object';
}

function typeOf(node: JsonSchema): string {
  const variants = variantsOf(node);
  if (variants.length > MANY) return 'one of the kinds below';
  if (variants.length > 1) return variants.map(shapeOf).join(' or ');
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  switch (node.type) {
    case 'string':
      return withBounds(
        'text',
        (node.minLength ?? 0) > 1 ? node.minLength : undefined,
        node.maxLength,
        ' characters',
      );
    case 'integer':
      return withBounds('whole number', node.minimum, safe(node.maximum));
    case 'number':
      return node.exclusiveMinimum === undefined
        ? withBounds('number', node.minimum, node.maximum)
        : `number above ${node.exclusiveMinimum}`;
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return `list of ${plural(node.items as JsonSchema)}${node.minItems ? `, at least ${node.minItems}` : ''}`;
    default:
      return isRecord(node) ? 'values by name' : 'keys below';
  }
}

/** `{ min, max }`. */
function shapeOf({ properties }: JsonSchema): string {
  return `\`{ ${Object.keys(properties ?? {}).join(', ')} }\``;
}

function plural(item: JsonSchema): string {
  if (item.enum) return typeOf(item);
  return item.properties ? 'entries' : 'texts';
}

function withBounds(what: string, least?: number, most?: number, unit = ''): string {
  if (least !== undefined && most !== undefined) return `${what}, ${least} to ${most}${unit}`;
  if (least !== undefined) return `${what}, at least ${least}${unit}`;
  return most === undefined ? what : `${what}, at most ${most}${unit}`;
}

/** Whole numbers have a greatest one by their nature, which nobody needs to read of. */
function safe(most: number | undefined): number | undefined {
  return most === Number.MAX_SAFE_INTEGER ? undefined : most;
}

function literal(value: unknown): string | undefined {
  const text = JSON.stringify(value);
  return text === '{}' ? undefined : text;
}

/** A value that no rule lets pass brings out what they say; types and lengths stand in the table anyway. */
function ruleOf(schema: z.core.$ZodType): string | undefined {
  const messages = z.safeParse(schema, '\0').error?.issues.map(({ message }) => message) ?? [];
  return messages.find((message) => message.startsWith('must '));
}
