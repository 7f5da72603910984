import type { StackConfig } from '../../components/model/config-schema';
import type { Catalogue, OfferedType } from '../observe/catalogue';

/** One server type in one location. */
export interface OfferView {
  readonly location: string;
  readonly available: boolean;
  /** EUR gross; at most `monthly` in a month. */
  readonly hourly: number;
  readonly monthly: number;
  /** When it can no longer be ordered there, where that is announced; ISO 8601. */
  readonly ends?: string;
  /** Pools of the stack whose placements name it. */
  readonly pools: readonly string[];
}

export interface TypeView {
  readonly name: string;
  readonly architecture: 'x86' | 'arm';
  readonly cores: number;
  /** GB. */
  readonly memory: number;
  readonly disk: number;
  readonly offers: readonly OfferView[];
}

/** What `catalogue --json` answers. */
export interface CatalogueView {
  /** When it was read, seconds since 1970. */
  readonly at: number;
  readonly locations: readonly { readonly name: string; readonly city: string; readonly zone: string }[];
  readonly serverTypes: readonly TypeView[];
  readonly images: readonly {
    readonly name: string;
    readonly architectures: readonly string[];
    /** Since when it is deprecated, or will be; ISO 8601. */
    readonly deprecated?: string;
    readonly pools: readonly string[];
  }[];
  /** EUR gross an hour of a public IPv4 address, by location. */
  readonly ipv4: Readonly<Record<string, number>>;
}

export interface CatalogueFilter {
  readonly location?: string;
  readonly architecture?: 'x86' | 'arm';
}

/** The catalogue as far as it was asked for, with the stack's own choices marked; types by price, what is gone left out. */
export function catalogueView(
  catalogue: Catalogue,
  config: StackConfig,
  { location, architecture }: CatalogueFilter,
): CatalogueView {
  const isAsked = (name: string): boolean => location === undefined || name === location;
  const pools = Object.entries(config.pools);
  const images = catalogue.images.filter(
    (image) => image.name !== null && (architecture === undefined || image.architecture === architecture),
  );
  return {
    at: catalogue.at,
    locations: catalogue.locations
      .filter(({ name }) => isAsked(name))
      .map(({ name, city, network_zone: zone }) => ({ name, city, zone })),
    serverTypes: catalogue.serverTypes
      .filter((type) => architecture === undefined || type.architecture === architecture)
      .map((type) => typeView(type, config, catalogue.at, isAsked))
      .filter(({ offers }) => offers.length > 0)
      .sort((a, b) => cheapest(a) - cheapest(b) || a.name.localeCompare(b.name)),
    images: [...new Set(images.map(({ name }) => name!))].sort().map((name) => {
      const same = images.filter((image) => image.name === name);
      const deprecated = same.find((image) => image.deprecated)?.deprecated;
      return {
        name,
        architectures: [...new Set(same.map((image) => image.architecture))].sort(),
        ...(deprecated ? { deprecated } : {}),
        pools: pools.filter(([, { image }]) => image === name).map(([pool]) => pool),
      };
    }),
    ipv4: Object.fromEntries(
      [...catalogue.ipv4].filter(([name]) => isAsked(name)).map(([name, { hourly }]) => [name, hourly]),
    ),
  };
}

function typeView(
  { name, architecture, cores, memory, disk, deprecation, prices, locations }: OfferedType,
  { pools }: StackConfig,
  at: number,
  isAsked: (location: string) => boolean,
): TypeView {
  const offers = locations
    .filter((offer) => isAsked(offer.name))
    .flatMap((offer): OfferView[] => {
      const price = prices.find((listed) => listed.location === offer.name);
      if (!price) return [];
      const ends = [deprecation, offer.deprecation]
        .flatMap((end) => (end ? [end.unavailable_after] : []))
        .sort((a, b) => Date.parse(a) - Date.parse(b))[0];
      const users = Object.entries(pools).filter(([, { placements }]) =>
        placements.some((placement) => placement.serverType === name && placement.location === offer.name),
      );
      // What ended is of interest only to whoever still asks for it.
      if (ends !== undefined && Date.parse(ends) / 1000 <= at && users.length === 0) return [];
      return [
        {
          location: offer.name,
          available: offer.available,
          hourly: Number(price.price_hourly.gross),
          monthly: Number(price.price_monthly.gross),
          ...(ends === undefined ? {} : { ends }),
          pools: users.map(([pool]) => pool),
        },
      ];
    });
  return { name, architecture, cores, memory, disk, offers };
}

function cheapest({ offers }: TypeView): number {
  return Math.min(...offers.map(({ hourly }) => hourly));
}
