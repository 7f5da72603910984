import { IPV4_PRICE, LOCATIONS, VAT_PERCENT } from './catalogue';
import type { Cloud } from './cloud';
import { ApiError, notFound } from './errors';
import type { Route } from './http';
import { listAnswer } from './lists';
import { price } from './money';
import { offeredLocations, offeredTypes, renderPrices } from './server-types';

const DATACENTERS_REMOVED = 'https://docs.hetzner.cloud/changelog#2025-12-16-phasing-out-datacenters';

/** Locations, prices, and what is left of datacenters. */
export function placeRoutes(route: Route, cloud: Cloud): void {
  route('GET', '/locations', (call) => {
    const name = call.query.one('name');
    return listAnswer(call, {
      key: 'locations',
      items: LOCATIONS.filter((place) => name === undefined || place.name === name),
      render: (place) => place,
      sort: { id: (place) => place.id, name: (place) => place.name },
    });
  });
  route('GET', '/locations/:id', (call) => {
    const place = LOCATIONS.find((candidate) => String(candidate.id) === call.params['id']);
    if (!place) throw notFound('location', call.params['id'] ?? '');
    return { status: 200, body: { location: place } };
  });
  route('GET', '/pricing', () => ({ status: 200, body: { pricing: renderPricing(cloud) } }));
  for (const path of ['/datacenters', '/datacenters/:id']) {
    route('GET', path, () => {
      throw new ApiError(410, 'deprecated_api_endpoint', 'API functionality was removed', {
        announcement: DATACENTERS_REMOVED,
      });
    });
  }
}

function renderPricing(cloud: Cloud): unknown {
  const everywhere = (monthly: number, hourly: number): unknown[] =>
    LOCATIONS.map((place) => ({
      location: place.name,
      price_hourly: price(hourly),
      price_monthly: price(monthly),
    }));
  return {
    currency: 'EUR',
    vat_rate: VAT_PERCENT.toFixed(6),
    primary_ips: [
      { type: 'ipv4', prices: everywhere(IPV4_PRICE.monthly, IPV4_PRICE.hourly) },
      { type: 'ipv6', prices: everywhere(0, 0) },
    ],
    floating_ips: [
      { type: 'ipv4', prices: everywhere(3, 0) },
      { type: 'ipv6', prices: everywhere(1, 0) },
    ],
    floating_ip: { price_monthly: price(3) },
    image: { price_per_gb_month: price(0.011) },
    volume: { price_per_gb_month: price(0.044) },
    server_backup: { percentage: '20.0000000000' },
    server_types: offeredTypes(cloud).map((type) => ({
      id: type.id,
      name: type.name,
      prices: offeredLocations(cloud, type).map((place) => renderPrices(type, place)),
    })),
    load_balancer_types: [],
  };
}
