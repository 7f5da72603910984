/** A signal that fires with another one, or when its time is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Lets go of timer and signal: to be called when there is nothing to wait for any more. */
  readonly release: () => void;
}

/**
 * A time for something, which the caller's signal may end before. `AbortSignal.any` with `AbortSignal.timeout` is not that:
 * Node 20 collects a time-out that nothing else refers to, and it never fires.
 */
export function deadline(milliseconds: number, given?: AbortSignal): Deadline {
  const controller = new AbortController();
  const end = (): void => controller.abort(given?.reason);
  const timer = setTimeout(
    () => controller.abort(new Error(`no answer within ${milliseconds / 1000} s`)),
    milliseconds,
  );
  if (given?.aborted) end();
  else given?.addEventListener('abort', end);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      given?.removeEventListener('abort', end);
    },
  };
}
