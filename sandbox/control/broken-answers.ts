/** An answer whose end went missing on the way. */
export function cutInHalf(body: string): string {
  return body.slice(0, Math.floor(body.length / 2));
}

/** What counts the entries of a list in the vendors' answers, beside the list. */
const COUNTS: Record<string, Record<string, unknown>> = {
  pagination: { total_entries: 0, last_page: 1, next_page: null },
  result_info: { count: 0, total_count: 0, total_pages: 0 },
};

/** The same answer, well formed, with nothing in its lists; an answer without a list stays as it is. */
export function withoutLists(body: string): string {
  const answer: unknown = body === '' ? undefined : JSON.parse(body);
  if (!isObject(answer) || !Object.values(answer).some((value) => Array.isArray(value))) return body;
  return JSON.stringify(emptied(answer));
}

function emptied(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      if (Array.isArray(value)) return [key, []];
      if (!isObject(value)) return [key, value];
      if (key === 'meta') return [key, emptied(value)];
      return [key, key in COUNTS ? { ...value, ...COUNTS[key] } : value];
    }),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
