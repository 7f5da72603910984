import { failure } from './errors';

/** The parameters of a request's URL. */
export interface Query {
  one(name: string): string | undefined;
  all(name: string): string[];
}

export function readQuery(url: string): Query {
  const parameters = new URL(url, 'http://localhost').searchParams;
  return { one: (name) => parameters.get(name) ?? undefined, all: (name) => parameters.getAll(name) };
}

/** What a list of one kind allows. */
export interface ListRules<T> {
  perPage: { default: number; min: number; max: number };
  order: Record<string, (item: T) => string | number>;
}

/**
 * Sorts by `order` and `direction` and cuts out `page` of `per_page`, with the envelope's `result_info`.
 * @throws CloudflareError 400 for a value out of range
 */
export function arrange<T>(
  items: T[],
  query: Query,
  rules: ListRules<T>,
): { items: T[]; info: Record<string, number> } {
  const page = whole(query, 'page', 1, 1, Number.MAX_SAFE_INTEGER);
  const { default: usual, min, max } = rules.perPage;
  const perPage = whole(query, 'per_page', usual, min, max);
  const sorted = sort(items, query, rules);
  const shown = sorted.slice((page - 1) * perPage, page * perPage);
  const info = {
    page,
    per_page: perPage,
    count: shown.length,
    total_count: items.length,
    total_pages: Math.ceil(items.length / perPage),
  };
  return { items: shown, info };
}

function sort<T>(items: T[], query: Query, rules: ListRules<T>): T[] {
  const order = query.one('order');
  const direction = query.one('direction') ?? 'asc';
  if (direction !== 'asc' && direction !== 'desc') throw badParameter('direction', 'asc or desc');
  if (order === undefined) return items;
  const read = rules.order[order];
  if (!read) throw badParameter('order', Object.keys(rules.order).join(', '));
  const sign = direction === 'desc' ? -1 : 1;
  return items.toSorted((left, right) => {
    const [a, b] = [read(left), read(right)];
    return a < b ? -sign : a > b ? sign : 0;
  });
}

function whole(query: Query, name: string, usual: number, min: number, max: number): number {
  const given = query.one(name);
  if (given === undefined) return usual;
  const value = Number(given);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw badParameter(name, `a whole number from ${min} to ${max}`);
  }
  return value;
}

function badParameter(name: string, expected: string) {
  return failure(400, 1003, `Invalid value for parameter ${name}: expected ${expected}.`);
}
