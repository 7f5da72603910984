/** An answer other than success, with the vendor's status and `{ message }` body. */
export class TailscaleError extends Error {
  override name = 'TailscaleError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const badRequest = (message: string): TailscaleError => new TailscaleError(400, message);

export const notFound = (what: string): TailscaleError => new TailscaleError(404, `${what} not found`);

/** The vendor's texts for tags, with Go's way of printing a list. */
export const tagsNotPermitted = (tags: string[]): string =>
  `requested tags [${tags.join(' ')}] are invalid or not permitted`;
