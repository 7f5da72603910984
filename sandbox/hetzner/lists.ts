import { invalidField } from './errors';
import type { Answer, Call } from './http';
import { matches, parseSelector } from './labels';
import type { Labels } from './state';

const DEFAULT_PER_PAGE = 25;
const MAX_PER_PAGE = 50;

type Sortable = string | number | null;

export interface ListOptions<Item> {
  /** Key of the array in the answer, such as `servers`. */
  key: string;
  items: Item[];
  render: (item: Item) => unknown;
  /** Fields that `sort` may name; the first is the default order. */
  sort: Record<string, (item: Item) => Sortable>;
}

/** One page of a list with `meta.pagination` and the `Link` header, sorted as asked. */
export function listAnswer<Item>(call: Call, options: ListOptions<Item>): Answer {
  const page = call.query.integer('page', 1, 1, Number.MAX_SAFE_INTEGER);
  const perPage = call.query.integer('per_page', DEFAULT_PER_PAGE, 1, MAX_PER_PAGE);
  const items = sorted(options.items, call.query.all('sort'), options.sort);
  const lastPage = Math.max(1, Math.ceil(items.length / perPage));
  const pagination = {
    page,
    per_page: perPage,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < lastPage ? page + 1 : null,
    last_page: lastPage,
    total_entries: items.length,
  };
  return {
    status: 200,
    headers: { Link: linkHeader(call, pagination) },
    body: {
      [options.key]: items.slice((page - 1) * perPage, page * perPage).map(options.render),
      meta: { pagination },
    },
  };
}

/** Keeps what the common filters `name` and `label_selector` ask for. */
export function filtered<Item extends { name: string | null; labels: Labels }>(
  call: Call,
  items: Item[],
): Item[] {
  const name = call.query.one('name');
  const selector = call.query.one('label_selector');
  const requirements = selector ? parseSelector(selector) : [];
  return items.filter(
    (item) => (name === undefined || item.name === name) && matches(requirements, item.labels),
  );
}

/** Sort fields that most resources have. */
export const COMMON_SORT = {
  id: (item: { id: number }) => item.id,
  name: (item: { name: string | null }) => item.name,
  created: (item: { created: number }) => item.created,
};

function sorted<Item>(items: Item[], orders: string[], fields: ListOptions<Item>['sort']): Item[] {
  const keys = orders.map((order) => {
    const [name = '', direction = 'asc'] = order.split(':');
    const field = fields[name];
    if (!field || (direction !== 'asc' && direction !== 'desc')) {
      throw invalidField('sort', `'${order}' is not a valid sort option`);
    }
    return { field, sign: direction === 'asc' ? 1 : -1 };
  });
  return items.toSorted((left, right) => {
    for (const { field, sign } of keys) {
      const order = compare(field(left), field(right)) * sign;
      if (order !== 0) return order;
    }
    return 0;
  });
}

function compare(left: Sortable, right: Sortable): number {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  return left < right ? -1 : 1;
}

function linkHeader(
  call: Call,
  pagination: { previous_page: number | null; next_page: number | null; last_page: number; per_page: number },
): string {
  const links: [number | null, string][] = [
    [pagination.previous_page, 'prev'],
    [pagination.next_page, 'next'],
    [pagination.last_page, 'last'],
  ];
  return links
    .filter((link): link is [number, string] => link[0] !== null)
    .map(([page, rel]) => `<${call.url}?${call.query.withPage(page, pagination.per_page)}>; rel="${rel}"`)
    .join(', ');
}
