import { physicalName } from '../../components/model/names';
import type { Log } from '../log';
import { NotOursError } from '../observe/cloud';
import type { Tailnet } from '../observe/tailnet';
import type { Registry } from '../registry/types';

/** How long a device of a deleted worker is asked to leave, seconds; after that the sweep finds it. */
const PATIENCE = 600;

/** What has to go after a worker's server is gone: its row in the registry, and its device on the tailnet. */
export class Leavers {
  /** Workers whose device may still be listed, and since when. */
  private readonly waiting = new Map<string, number>();

  constructor(
    private readonly environment: string,
    private readonly registry: Registry,
    private readonly log: Log,
  ) {}

  async left(workers: readonly string[], now: number): Promise<void> {
    if (workers.length === 0) return;
    await this.registry.workers.forget(this.environment, workers);
    for (const worker of workers) this.waiting.set(worker, now);
  }

  /** Takes devices off the tailnet. One that still looks connected, as for a moment after the deletion, is tried again. */
  async removeDevices(tailnet: Tailnet | undefined, now: number): Promise<void> {
    if (!tailnet || this.waiting.size === 0) return;
    const { items } = await tailnet.devices({ maxAge: 0 });
    for (const [worker, since] of [...this.waiting]) {
      const hostname = physicalName(this.environment, worker);
      const devices = items.filter((device) => device.hostname === hostname);
      const gone = await Promise.all(devices.map(({ id }) => this.remove(tailnet, id, hostname)));
      if (gone.every(Boolean) || now - since > PATIENCE) this.waiting.delete(worker);
    }
  }

  private async remove(tailnet: Tailnet, id: string, hostname: string): Promise<boolean> {
    try {
      await tailnet.remove(id, hostname);
      this.log.info('device-removed', { environment: this.environment, hostname });
      return true;
    } catch (error) {
      if (!(error instanceof NotOursError))
        this.log.warn('device-not-removed', { environment: this.environment, hostname, error });
      return false;
    }
  }
}
