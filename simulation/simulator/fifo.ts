/** First in, first out, in constant time; items can also be put back to the head. */
export class Fifo<Item> {
  #items: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head++];
    // Copying only when half is used up keeps the cost of each shift constant.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) this.#restart();
    return item;
  }

  unshift(item: Item): void {
    this.#restart();
    this.#items.unshift(item);
  }

  map<Result>(of: (item: Item) => Result): Result[] {
    const results: Result[] = [];
    for (let at = this.#head; at < this.#items.length; at += 1) results.push(of(this.#items[at] as Item));
    return results;
  }

  #restart(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
