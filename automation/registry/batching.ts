interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** A statement of more would keep others waiting for as long as they would for two. */
const MOST = 100;

/**
 * Sends one at a time, and with it all that was asked for while the one before was under way: where each would wait for
 * the same lock and its own write to the disk, they wait for one.
 * @param send answers in the order of the items; when it fails, all of its items fail
 */
export function batching<Item, Answer>(
  send: (items: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  const waiting: Waiting<Item, Answer>[] = [];
  let sending = false;

  const sendAll = async (): Promise<void> => {
    sending = true;
    while (waiting.length > 0) await sendNext(waiting.splice(0, MOST));
    sending = false;
  };
  const sendNext = async (batch: readonly Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await send(batch.map(({ item }) => item));
      if (answers.length !== batch.length) {
        throw new Error(`${answers.length} answers came for ${batch.length} questions`);
      }
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!sending) void sendAll();
    });
}
