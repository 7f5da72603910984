/** Names of an object's own keys that a message lists. */
const KEYS_SHOWN = 10;

/**
 * The value at a path like `queue.depth` or `items[0].count`, which the configuration's schema has checked; or what is
 * found instead, where it ends.
 */
export function valueAt(json: unknown, path: string): { value: unknown } | { missing: string } {
  let value = json;
  let walked = 'it';
  for (const step of stepsOf(path)) {
    if (!hasStep(value, step)) return { missing: `${walked} ${contentsOf(value)}` };
    value = value[step];
    walked =
      walked === 'it' ? String(step) : typeof step === 'number' ? `${walked}[${step}]` : `${walked}.${step}`;
  }
  return { value };
}

function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([name, index]) =>
    index === undefined ? name : Number(index),
  );
}

/** Own keys only: an object's inherited ones are not in the answer. */
function hasStep(value: unknown, step: string | number): value is Record<string | number, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) === (typeof step === 'number') && Object.hasOwn(value, step);
}

function contentsOf(value: unknown): string {
  if (Array.isArray(value)) return `is a list of ${value.length}`;
  if (typeof value !== 'object' || value === null)
    return `is ${value === null ? 'null' : `a ${typeof value}`}`;
  const keys = Object.keys(value);
  const more = keys.length > KEYS_SHOWN ? ', …' : '';
  return keys.length === 0 ? 'is empty' : `has ${keys.slice(0, KEYS_SHOWN).join(', ')}${more}`;
}
