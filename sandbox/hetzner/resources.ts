import type { Call } from './http';
import { notFound, notUnique } from './errors';

/** The resource that the path names. @throws ApiError 404 */
export function resourceOf<Item>(call: Call, collection: Record<number, Item>, what: string): Item {
  const id = call.params['id'] ?? '';
  const item = /^\d+$/.test(id) ? collection[Number(id)] : undefined;
  if (!item) throw notFound(what, id);
  return item;
}

/** @throws ApiError 409 when another resource of the kind has the name */
export function checkUniqueName(
  collection: Record<number, { id: number; name: string }>,
  name: string,
  what: string,
  ownId?: number,
): void {
  if (Object.values(collection).some((item) => item.name === name && item.id !== ownId)) {
    throw notUnique(`${what} name`, 'name');
  }
}
