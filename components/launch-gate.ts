import { setTimeout as delay } from 'node:timers/promises';
import * as pulumi from '@pulumi/pulumi';

/** Real time that what exists already is held back at most: a key that cannot be made must not stop everything else. */
const PATIENCE_MS = 2_000;
/** From the last input known until the request has left this process. */
const SENDING_MS = 20;

/**
 * Lets new workers go first. An update compares every resource that there is, which takes seconds with a hundred workers;
 * what exists already is declared only when the requests for new servers are on their way.
 */
export class LaunchGate {
  /** Resolves when what exists already may be declared. */
  readonly passed: Promise<void>;
  private readonly requests: Promise<unknown>[] = [];
  private readonly open: () => void;

  constructor() {
    const { promise, resolve } = deferred();
    this.passed = promise;
    this.open = resolve;
  }

  /** @param inputs of a server that is about to be made: it is asked for as soon as they are known */
  launching(...inputs: pulumi.Input<unknown>[]): void {
    const { promise, resolve } = deferred();
    pulumi.all(inputs).apply(() => resolve());
    this.requests.push(promise);
  }

  /** To be called when everything is declared. A preview asks for nothing, so nothing waits. */
  close(): void {
    if (this.requests.length === 0 || pulumi.runtime.isDryRun()) return this.open();
    const sent = Promise.all(this.requests).then(() => delay(SENDING_MS));
    void Promise.race([sent, delay(PATIENCE_MS)]).then(this.open);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
