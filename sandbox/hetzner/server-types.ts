import {
  includedTraffic,
  locationNamed,
  trafficPrice,
  type Deprecation,
  type ServerTypeState,
} from './catalogue';
import { timestamp, type Cloud } from './cloud';
import { notFound } from './errors';
import type { Route } from './http';
import { listAnswer } from './lists';
import { price } from './money';

/** The types that can still be ordered somewhere: past `unavailable_after` everywhere, a type leaves the list. */
export function offeredTypes(cloud: Cloud): ServerTypeState[] {
  return Object.values(cloud.state.catalogue.serverTypes)
    .filter((type) => offeredLocations(cloud, type).length > 0)
    .toSorted((left, right) => left.id - right.id);
}

/** A type by name or id, if it is still offered. */
export function findType(cloud: Cloud, idOrName: string | number): ServerTypeState | undefined {
  const types = offeredTypes(cloud);
  return (
    types.find((type) => type.name === String(idOrName)) ??
    types.find((type) => String(type.id) === String(idOrName))
  );
}

/** Names of the locations in which the type has not ended. */
export function offeredLocations(cloud: Cloud, type: ServerTypeState): string[] {
  const now = cloud.kernel.clock.now();
  return Object.entries(type.locations)
    .filter(([, offer]) => offer.deprecation === null || offer.deprecation.unavailableAfter > now)
    .map(([name]) => name);
}

/** The type as the API shows it; a server keeps showing a type that has ended. */
export function renderType(cloud: Cloud, type: ServerTypeState): unknown {
  const offered = offeredLocations(cloud, type);
  const places = offered.length > 0 ? offered : Object.keys(type.locations);
  const deprecation = overallDeprecation(places.map((name) => type.locations[name]?.deprecation ?? null));
  return {
    id: type.id,
    name: type.name,
    description: type.name.toUpperCase(),
    category: type.category,
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    storage_type: 'local',
    cpu_type: type.cpuType,
    architecture: type.architecture,
    included_traffic: 0,
    deprecated: deprecation !== null,
    deprecation: renderDeprecation(deprecation),
    prices: places.map((name) => renderPrices(type, name)),
    locations: places.map((name) => ({
      id: locationNamed(name)?.id,
      name,
      deprecation: renderDeprecation(type.locations[name]?.deprecation ?? null),
      available: type.locations[name]?.available ?? false,
      recommended: type.locations[name]?.recommended ?? false,
    })),
  };
}

export function renderPrices(type: ServerTypeState, place: string): unknown {
  const offer = type.locations[place];
  return {
    location: place,
    price_hourly: price(offer?.hourly ?? 0),
    price_monthly: price(offer?.monthly ?? 0),
    included_traffic: includedTraffic(place),
    price_per_tb_traffic: price(trafficPrice(place)),
  };
}

export function serverTypeRoutes(route: Route, cloud: Cloud): void {
  route('GET', '/server_types', (call) => {
    const name = call.query.one('name');
    return listAnswer(call, {
      key: 'server_types',
      items: offeredTypes(cloud).filter((type) => name === undefined || type.name === name),
      render: (type) => renderType(cloud, type),
      sort: { id: (type) => type.id, name: (type) => type.name },
    });
  });
  route('GET', '/server_types/:id', (call) => {
    const type = offeredTypes(cloud).find((candidate) => String(candidate.id) === call.params['id']);
    if (!type) throw notFound('server type', call.params['id'] ?? '');
    return { status: 200, body: { server_type: renderType(cloud, type) } };
  });
}

/** A type counts as deprecated as a whole once it is in every location; it ends with the last of them. */
function overallDeprecation(all: (Deprecation | null)[]): Deprecation | null {
  const announced = all.filter((entry) => entry !== null);
  if (announced.length === 0 || announced.length < all.length) return null;
  return {
    announced: Math.max(...announced.map((entry) => entry.announced)),
    unavailableAfter: Math.max(...announced.map((entry) => entry.unavailableAfter)),
  };
}

function renderDeprecation(deprecation: Deprecation | null): unknown {
  return (
    deprecation && {
      announced: timestamp(deprecation.announced),
      unavailable_after: timestamp(deprecation.unavailableAfter),
    }
  );
}
