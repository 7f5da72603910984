import type { Query } from './query';
import type { CloudflareSettings } from './settings';
import type { CloudflareState, Zone } from './state';

const PLAN_NAMES: Record<CloudflareSettings['plan'], string> = { free: 'Free Website', pro: 'Pro Website' };

/** A zone as the API shows it. */
export function viewZone(zone: Zone, state: CloudflareState, plan: CloudflareSettings['plan']): object {
  return {
    id: zone.id,
    name: zone.name,
    status: 'active',
    paused: false,
    type: 'full',
    development_mode: 0,
    name_servers: ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'],
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    modified_on: zone.createdOn,
    created_on: zone.createdOn,
    activated_on: zone.createdOn,
    meta: {
      step: 2,
      custom_certificate_quota: 0,
      page_rule_quota: 3,
      phishing_detected: false,
    },
    owner: { id: null, type: 'user', email: null },
    account: { id: state.accountId, name: 'Sandbox' },
    permissions: ['#dns_records:edit', '#dns_records:read', '#zone:read'],
    plan: { id: plan, name: PLAN_NAMES[plan], price: 0, currency: 'USD', legacy_id: plan },
  };
}

/** Zones of a list's query: by name, status and account. */
export function matchingZones(state: CloudflareState, query: Query): Zone[] {
  const name = query.one('name')?.toLowerCase();
  const status = query.one('status') ?? 'active';
  const account = query.one('account.id') ?? state.accountId;
  if (status !== 'active' || account !== state.accountId) return [];
  return state.zones.filter((zone) => name === undefined || zone.name === name);
}
