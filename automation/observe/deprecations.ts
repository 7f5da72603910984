import type { Placement, StackConfig } from '../../components/model/config-schema';
import type { MemberRecord } from '../../components/model/membership';
import type { Catalogue } from './catalogue';

/** Something that the stack uses and that the vendor takes away. */
export interface DeprecationInUse {
  /** `server type cx33 in fsn1`, `image debian-11`. */
  readonly what: string;
  /** When it can no longer be ordered, ISO 8601; absent where it is gone already. */
  readonly until?: string;
}

/** A deprecated image goes three months after its date (docs.hetzner.cloud, "Images"). */
const IMAGE_LEFT_MONTHS = 3;

/** What the file asks for or the members run on, and that is at its end; each once, the soonest first. Seconds since 1970. */
export function deprecationsInUse(
  config: StackConfig,
  members: readonly MemberRecord[],
  catalogue: Catalogue,
  now: number,
): DeprecationInUse[] {
  const gateway =
    config.network && !('stack' in config.network) && config.network.natGateway
      ? [config.network.natGateway]
      : [];
  const pools = Object.values(config.pools);
  const placements = [...pools.flatMap((pool) => pool.placements), ...gateway, ...members];
  const images = [...pools, ...gateway].map(({ image }) => image);
  const found = [
    ...placements.map((placement) => endingPlacement(placement, catalogue)),
    ...images.map((image) => endingImage(image, catalogue)),
  ].filter((deprecation) => deprecation !== undefined);
  const distinct = new Map(found.map((deprecation) => [deprecation.what, deprecation]));
  return [...distinct.values()]
    .map(({ what, until }) =>
      until !== undefined && Date.parse(until) / 1000 > now ? { what, until } : { what },
    )
    .sort((a, b) => (a.until ?? '').localeCompare(b.until ?? '') || a.what.localeCompare(b.what));
}

function endingPlacement(
  { serverType, location }: Placement,
  { serverTypes }: Catalogue,
): DeprecationInUse | undefined {
  const what = `server type ${serverType} in ${location}`;
  const type = serverTypes.find(({ name }) => name === serverType);
  const offer = type?.locations.find(({ name }) => name === location);
  if (!type || !offer) return { what };
  const ends = [type.deprecation, offer.deprecation].flatMap((end) => (end ? [end.unavailable_after] : []));
  const until = ends.sort((a, b) => Date.parse(a) - Date.parse(b))[0];
  return until === undefined ? undefined : { what, until: new Date(until).toISOString() };
}

function endingImage(name: string, { images }: Catalogue): DeprecationInUse | undefined {
  const found = images.filter((image) => image.name === name);
  if (found.length === 0) return { what: `image ${name}` };
  const deprecated = found.find((image) => image.deprecated)?.deprecated;
  if (!deprecated) return undefined;
  const until = new Date(deprecated);
  until.setUTCMonth(until.getUTCMonth() + IMAGE_LEFT_MONTHS);
  return { what: `image ${name}`, until: until.toISOString() };
}
