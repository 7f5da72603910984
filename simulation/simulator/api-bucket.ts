/** The vendor's request limit: a bucket of an hour's requests that fills evenly. No limit where none is given. */
export class ApiBucket {
  #tokens: number;
  #filledAt = 0;

  constructor(readonly limit: number | undefined) {
    this.#tokens = limit ?? Infinity;
  }

  /** Takes one request, or says that it is refused. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  remaining(now: number): number {
    this.#fill(now);
    return Math.floor(this.#tokens);
  }

  #fill(now: number): void {
    if (this.limit === undefined) return;
    this.#tokens = Math.min(this.limit, this.#tokens + ((now - this.#filledAt) * this.limit) / 3600);
    this.#filledAt = now;
  }
}
