import { z } from 'zod';
import type { Placement, PoolConfig } from '../../components/model/config-schema';
import type { HetznerCredentials } from '../../components/preflight/credentials';
import {
  imageSchema,
  locationSchema,
  serverTypeSchema,
  type Image,
} from '../../components/preflight/hetzner';
import { hetznerRequest, listHetzner } from '../../components/preflight/hetzner-list';
import { requestJson } from '../../components/preflight/http';
import type { PricedPlacement } from '../decide/types';
import { CADENCE } from './cadence';
import { claimSpare, meteredCaller, type HetznerAccess } from './hetzner-caller';

const offeredTypeSchema = serverTypeSchema.extend({
  cores: z.number(),
  /** GB. */
  memory: z.number(),
  disk: z.number(),
});
const placeSchema = locationSchema.extend({ city: z.string() });

export type OfferedType = z.infer<typeof offeredTypeSchema>;
export type Place = z.infer<typeof placeSchema>;

/** EUR gross. */
export interface Price {
  readonly hourly: number;
  /** A server costs at most this much in a month. */
  readonly monthly: number;
}

/** What the vendor offers, and what of it can be had now. */
export interface Catalogue {
  /** When the server types, with what is sold out, were read; seconds since 1970. */
  readonly at: number;
  readonly serverTypes: readonly OfferedType[];
  readonly locations: readonly Place[];
  /** System and app images, deprecated ones too. */
  readonly images: readonly Image[];
  /** Of a public IPv4 address, by location. */
  readonly ipv4: ReadonlyMap<string, Price>;
}

/** A placement with its price, an address included where the pool has public IPv4. */
export interface Offer extends PricedPlacement {
  /** EUR gross that a month costs at most. */
  readonly monthly: number;
  /** Not sold out when the catalogue was read. */
  readonly available: boolean;
}

export interface PricedPool {
  /** What can be had now, then what is sold out; each in the configured order. */
  readonly placements: readonly Offer[];
  readonly skipped: readonly (Placement & { readonly reason: string })[];
}

/** The catalogue's cache. */
export interface CatalogueReader {
  /**
   * @param maxAge seconds that the availability may be old, 60 by default; 0 reads everything anew. Locations, images and the
   *   price of addresses change a few times a year and are read once an hour
   * @throws IncompleteListError, VendorError (429 where the project's request limit leaves no room)
   */
  read(maxAge?: number): Promise<Catalogue>;
  /** What was read last; undefined before the first time. */
  readonly latest: Catalogue | undefined;
}

type Surroundings = Omit<Catalogue, 'at' | 'serverTypes'>;

/** Opens the vendor's catalogue; nothing is read yet. */
export function openCatalogue(credentials: HetznerCredentials, access: HetznerAccess): CatalogueReader {
  const caller = meteredCaller(access);
  let types: Pick<Catalogue, 'at' | 'serverTypes'> | undefined;
  let surroundings: (Surroundings & { at: number }) | undefined;
  let reading: Promise<unknown> = Promise.resolve();

  const refresh = async (maxAge: number): Promise<Catalogue> => {
    const started = access.now();
    const isFresh = (part: { at: number } | undefined, age: number): boolean =>
      part !== undefined && maxAge > 0 && started - part.at <= age;
    const typesAreFresh = isFresh(types, maxAge);
    const surroundingsAreFresh = isFresh(surroundings, Math.max(maxAge, CADENCE.idleCatalogue));
    if (!typesAreFresh || !surroundingsAreFresh) claimSpare(access);
    const [newTypes, newSurroundings] = await Promise.all([
      typesAreFresh
        ? undefined
        : listHetzner(
            credentials,
            { path: '/server_types', key: 'server_types', schema: offeredTypeSchema },
            caller,
          ),
      surroundingsAreFresh ? undefined : readSurroundings(credentials, caller),
    ]);
    const at = access.now();
    if (newTypes) types = { at, serverTypes: newTypes };
    if (newSurroundings) surroundings = { at, ...newSurroundings };
    return { ...surroundings!, ...types! };
  };

  return {
    read(maxAge = CADENCE.freshCatalogue) {
      // One after the other: whoever asks meanwhile finds what was just read.
      const answer = reading.then(
        () => refresh(maxAge),
        () => refresh(maxAge),
      );
      reading = answer;
      return answer;
    },
    get latest() {
      return surroundings && types && { ...surroundings, ...types };
    },
  };
}

async function readSurroundings(
  credentials: HetznerCredentials,
  caller: ReturnType<typeof meteredCaller>,
): Promise<Surroundings> {
  const [locations, images, { pricing }] = await Promise.all([
    listHetzner(credentials, { path: '/locations', key: 'locations', schema: placeSchema }, caller),
    listHetzner(
      credentials,
      {
        path: '/images?type=system&type=app&include_deprecated=true',
        key: 'images',
        schema: imageSchema,
      },
      caller,
    ),
    requestJson(hetznerRequest(credentials, { path: '/pricing', schema: pricingSchema }), caller),
  ]);
  const ipv4 = pricing.primary_ips.find(({ type }) => type === 'ipv4')?.prices ?? [];
  return { locations, images, ipv4: new Map(ipv4.map((price) => [price.location, priceOf(price)])) };
}

const grossSchema = z.object({ gross: z.string() });
const pricingSchema = z.object({
  pricing: z.object({
    currency: z.literal('EUR'),
    primary_ips: z.array(
      z.object({
        type: z.string(),
        prices: z.array(
          z.object({ location: z.string(), price_hourly: grossSchema, price_monthly: grossSchema }),
        ),
      }),
    ),
  }),
});

/** What a worker there costs; undefined where the vendor lists no price for it. */
export function priceOfWorker(
  { serverTypes, ipv4 }: Catalogue,
  { serverType, location }: Placement,
  publicIpv4: boolean,
): Price | undefined {
  const listed = serverTypes
    .find(({ name }) => name === serverType)
    ?.prices.find((price) => price.location === location);
  if (!listed) return undefined;
  const server = priceOf(listed);
  const address = publicIpv4 ? ipv4.get(location) : undefined;
  return {
    hourly: server.hourly + (address?.hourly ?? 0),
    monthly: server.monthly + (address?.monthly ?? 0),
  };
}

/** A pool's placements as they can be had and what they cost. What can no longer be ordered is left out, with the reason. */
export function pricedPlacements(
  { placements, publicNetwork }: Pick<PoolConfig, 'placements' | 'publicNetwork'>,
  catalogue: Catalogue,
  now: number,
): PricedPool {
  const offers: Offer[] = [];
  const skipped: PricedPool['skipped'][number][] = [];
  for (const { serverType, location } of placements) {
    const type = catalogue.serverTypes.find(({ name }) => name === serverType);
    const offer = type?.locations.find(({ name }) => name === location);
    const ended = [type?.deprecation, offer?.deprecation].find((end) => end && endOf(end) <= now);
    const price = priceOfWorker(catalogue, { serverType, location }, publicNetwork.ipv4);
    const reason = !type
      ? `Hetzner offers no server type ${serverType} any more`
      : ended
        ? `${serverType} cannot be ordered in ${location} since ${ended.unavailable_after.slice(0, 10)}`
        : !offer || !price
          ? `Hetzner does not offer ${serverType} in ${location}`
          : undefined;
    if (reason !== undefined) skipped.push({ serverType, location, reason });
    else {
      const { hourly, monthly } = price!;
      offers.push({ serverType, location, price: hourly, monthly, available: offer!.available });
    }
  }
  const placementsNow = [
    ...offers.filter(({ available }) => available),
    ...offers.filter(({ available }) => !available),
  ];
  return { placements: placementsNow, skipped };
}

function priceOf(listed: { price_hourly: { gross: string }; price_monthly: { gross: string } }): Price {
  return { hourly: Number(listed.price_hourly.gross), monthly: Number(listed.price_monthly.gross) };
}

function endOf({ unavailable_after: end }: { unavailable_after: string }): number {
  return Date.parse(end) / 1000;
}
