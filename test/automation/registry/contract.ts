import type { Registry } from '../../../automation/registry/types';
import { openRegistry } from '../../../automation/registry';
import { emptyDatabase, emptyDirectory, type Place } from './databases';

export const SILENCE = 60;

/** The registry of one implementation, open for a whole suite: each test has an environment of its own in it. */
export interface Stand {
  readonly registry: Registry;
  /** A name that no other test uses. */
  environment(): string;
  /** As after a restart of the service. */
  reopen(): Promise<void>;
}

/** Declares the same tests for every kind of registry. */
export function forEachRegistry(subject: string, declare: (stand: Stand) => void): void {
  const kinds: readonly [string, () => Promise<Place>][] = [
    ['in PostgreSQL', emptyDatabase],
    ['embedded', emptyDirectory],
  ];
  for (const [kind, make] of kinds) {
    describe(`${subject}, ${kind}`, function () {
      this.timeout(60_000);
      let place: Place;
      let registry: Registry | undefined;
      let environments = 0;
      const open = async () => {
        registry = await openRegistry(place.location, { silence: SILENCE });
      };
      before(async () => {
        place = await make();
        await open();
      });
      after(async () => {
        await registry?.close();
        await place?.remove();
      });
      declare({
        get registry() {
          if (!registry) throw new Error('the registry is not open');
          return registry;
        },
        environment: () => `environment-${(environments += 1)}`,
        reopen: async () => {
          await registry?.close();
          await open();
        },
      });
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
