import { invalidField } from './errors';

/** The query string: every parameter may be repeated. */
export class Query {
  constructor(private readonly parameters: URLSearchParams) {}

  one(name: string): string | undefined {
    return this.parameters.get(name) ?? undefined;
  }

  all(name: string): string[] {
    return this.parameters.getAll(name);
  }

  /** @throws ApiError invalid_input when it is not a whole number from `min` to `max` */
  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.one(name);
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < min) throw invalidField(name, `must be an integer from ${min}`);
    if (value > max) throw invalidField(name, `must be at most ${max}`);
    return value;
  }

  /** @throws ApiError invalid_input when one of the values is not an id */
  ids(name: string): number[] {
    return this.all(name).map((text) => {
      const id = Number(text);
      if (!Number.isInteger(id) || id < 1) throw invalidField(name, 'must be a positive integer');
      return id;
    });
  }

  /** The same query with another page, as a query string. */
  withPage(page: number, perPage: number): string {
    const changed = new URLSearchParams(this.parameters);
    changed.set('page', String(page));
    changed.set('per_page', String(perPage));
    return changed.toString();
  }
}
