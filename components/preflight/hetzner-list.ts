import { z } from 'zod';
import type { HetznerCredentials } from './credentials';
import { requestJson, VendorError, type Caller, type VendorRequest } from './http';

/** A list of which not every page came, or not as announced: what is missing in it may well be there. */
export class IncompleteListError extends VendorError {
  override name = 'IncompleteListError';
}

/** What tells an entry of a list from the others. */
export type Listed = { id: number } | { name: string };

/** Most that the API gives at once (docs.hetzner.cloud, "Pagination"). */
const PAGE_SIZE = 50;

const paginationSchema = z.object({
  next_page: z.number().nullable(),
  total_entries: z.number().nullable(),
});

/** What is said to Hetzner in every request of a project. */
export function hetznerRequest<T extends z.ZodType>(
  { url, token }: HetznerCredentials,
  request: Pick<VendorRequest<T>, 'method' | 'schema'> & { path: string },
): VendorRequest<T> {
  const { path, ...rest } = request;
  return {
    ...rest,
    vendor: 'Hetzner',
    url: `${url}${path}`,
    headers: { authorization: `Bearer ${token ?? ''}` },
    errorMessage: (body) =>
      z.object({ error: z.object({ message: z.string() }) }).safeParse(body).data?.error.message,
  };
}

/**
 * All pages of a list, whole or not at all.
 * @throws VendorError when the first page cannot be read, IncompleteListError when a later one cannot, or when the pages do
 *   not add up to what each of them announces, e.g. because something was deleted in between
 */
export async function listHetzner<T extends z.ZodType<Listed>>(
  credentials: HetznerCredentials,
  { path, key, schema }: { path: string; key: string; schema: T },
  caller?: Caller,
): Promise<z.output<T>[]> {
  const incomplete = (why: string): IncompleteListError =>
    new IncompleteListError('Hetzner', 200, `GET ${path.split('?')[0]}: the list is not complete: ${why}`);
  const pageSchema = z.object({
    [key]: z.array(schema),
    meta: z.object({ pagination: z.unknown().optional() }),
  });
  const items: z.output<T>[] = [];
  let announced: number | undefined;
  for (let number: number | null = 1; number !== null;) {
    const page: Record<string, unknown> = await requestJson(
      hetznerRequest(credentials, {
        path: `${path}${path.includes('?') ? '&' : '?'}page=${number}&per_page=${PAGE_SIZE}`,
        schema: pageSchema,
      }),
      caller,
    ).catch((error: unknown) => {
      if (number === 1 || !(error instanceof VendorError)) throw error;
      throw incomplete(`page ${number} cannot be read (${error.message})`);
    });
    const pagination = paginationSchema.safeParse((page['meta'] as { pagination?: unknown }).pagination);
    if (!pagination.success) throw incomplete(`page ${number} does not say what follows it`);
    const { next_page: next, total_entries: total } = pagination.data;
    items.push(...(page[key] as z.output<T>[]));
    if (total !== null && announced !== undefined && total !== announced) {
      throw incomplete(`it changed from ${announced} to ${total} entries while it was read`);
    }
    announced = total ?? announced;
    if (next !== null && next !== number + 1) throw incomplete(`page ${number} is followed by page ${next}`);
    number = next;
  }
  const distinct = new Set(items.map((item) => ('id' in item ? item.id : item.name))).size;
  if (announced !== undefined && distinct !== announced) {
    throw incomplete(`${distinct} of ${announced} entries came`);
  }
  return items;
}
