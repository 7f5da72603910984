/** What the SDK listens for while a program runs in this process (@pulumi/pulumi 3.248, `automation/server.ts`). */
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

type Listener = (...args: unknown[]) => void;

let running = 0;
let before: ReadonlySet<Listener> = new Set();
let left: readonly Listener[] = [];

/**
 * Runs an update, and takes away what the ones before it have left listening for this process's errors. When the engine
 * dies in the middle of a program, the SDK leaves its listeners behind, and they hold all that the program has made. They stay
 * until the next update: what is still under way of that program may yet fail.
 */
export async function withoutLeftListeners<T>(run: () => Promise<T>): Promise<T> {
  if (running === 0) {
    for (const event of EVENTS) for (const listener of left) process.off(event, listener);
    before = new Set(listeners());
  }
  running += 1;
  try {
    return await run();
  } finally {
    running -= 1;
    // Those of an update of another stack are still needed.
    if (running === 0) left = listeners().filter((listener) => !before.has(listener));
  }
}

function listeners(): Listener[] {
  return EVENTS.flatMap((event) => process.rawListeners(event) as Listener[]);
}
