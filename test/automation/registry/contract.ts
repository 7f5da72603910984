import type { Registry } from '../../../automation/registry/types';
import { openRegistry } from '../../../automation/registry';
import { emptyDatabase, emptyDirectory, type Place } from './databases';

export const SILENCE = 60;

/** A registry of one kind. All suites share it, because making an embedded one takes seconds. */
export class Stand {
  private place: Place | undefined;
  private opened: Registry | undefined;
  private environments = 0;

  constructor(
    readonly kind: string,
    private readonly make: () => Promise<Place>,
  ) {}

  get registry(): Registry {
    if (!this.opened) throw new Error('the registry is not open');
    return this.opened;
  }

  /** A name that no other test uses. */
  environment(): string {
    return `environment-${(this.environments += 1)}`;
  }

  async open(): Promise<void> {
    this.place ??= await this.make();
    this.opened ??= await openRegistry(this.place.location, { silence: SILENCE });
  }

  /** As after a restart of the service. */
  async reopen(): Promise<void> {
    await this.opened?.close();
    this.opened = undefined;
    await this.open();
  }

  async remove(): Promise<void> {
    await this.opened?.close();
    await this.place?.remove();
  }
}

const stands = [new Stand('in PostgreSQL', emptyDatabase), new Stand('embedded', emptyDirectory)];

after(async () => {
  for (const stand of stands) await stand.remove();
});

/** Declares the same tests for every kind of registry. */
export function forEachRegistry(subject: string, declare: (stand: Stand) => void): void {
  for (const stand of stands) {
    describe(`${subject}, ${stand.kind}`, function () {
      this.timeout(60_000);
      before(() => stand.open());
      declare(stand);
    });
  }
}

/** Registers workers `ci-0001`, `ci-0002`, … of pool `ci` with so many slots each. */
export async function registerWorkers(
  { workers }: Registry,
  environment: string,
  slots: readonly number[],
  now: number,
): Promise<string[]> {
  const ids = slots.map((_, index) => `ci-${String(index + 1).padStart(4, '0')}`);
  for (const [index, worker] of ids.entries()) {
    await workers.register(
      { environment, pool: 'ci', worker },
      { hostname: `${environment}-${worker}`, slots: slots[index] ?? 0, address: `100.64.0.${index + 1}` },
      now,
    );
  }
  return ids;
}
