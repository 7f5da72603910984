import type { StackSettings } from '../stack-file';
import { ApiMeter } from './api-budget';
import { type CatalogueReader, openCatalogue } from './catalogue';
import { type Cloud, openCloud } from './cloud';
import { openTailnet, type Tailnet } from './tailnet';

/** The vendors as one stack's credentials open them. */
export interface Vendors {
  readonly cloud: Cloud;
  readonly catalogue: CatalogueReader;
  /** Undefined for a stack whose workers are reached directly. */
  readonly tailnet: Tailnet | undefined;
  readonly meter: ApiMeter;
}

/** A round does not wait for long, and the next one asks again. */
const PATIENCE = { tries: 2, firstWait: 500, totalWait: 5_000 };

/** @param now seconds since 1970 */
export function openVendors(
  environment: string,
  { config, credentials }: StackSettings,
  now: () => number,
): Vendors {
  const meter = new ApiMeter();
  const caller = { patience: PATIENCE };
  const access = { meter, now, caller };
  const { connectivity, tags } = config.access;
  return {
    cloud: openCloud(credentials.hetzner, environment, access),
    catalogue: openCatalogue(credentials.hetzner, access),
    tailnet:
      connectivity === 'tailscale'
        ? openTailnet(credentials.tailscale, { environment, tags, now, caller })
        : undefined,
    meter,
  };
}
