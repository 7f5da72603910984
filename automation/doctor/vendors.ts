import { askCloudflare } from '../../components/preflight';
import { bounded, ok, type Finding } from './finding';
import { checkHetzner } from './hetzner';
import { checkTailscale } from './tailscale';
import { faultFindings, type VendorQuestion } from './vendor-question';

export interface VendorFindings {
  readonly hetzner: readonly Finding[];
  readonly tailscale: readonly Finding[];
  readonly cloudflare: readonly Finding[];
}

/**
 * The questions that an update asks before its plan, with what only a person wants to know beside. Each vendor is asked for
 * itself: one that does not answer hides nothing of the others.
 */
export async function checkVendors(asked: VendorQuestion): Promise<VendorFindings> {
  const { patienceMs } = asked.question;
  const [hetzner, tailscale, cloudflare] = await Promise.all([
    bounded('Hetzner', () => checkHetzner(asked), patienceMs),
    bounded('Tailscale', () => checkTailscale(asked), patienceMs),
    bounded('Cloudflare', () => checkCloudflare(asked), patienceMs),
  ]);
  return { hetzner, tailscale, cloudflare };
}

async function checkCloudflare(asked: VendorQuestion): Promise<Finding[]> {
  const { dns } = asked.config;
  if (!dns) return [];
  const { faults } = await askCloudflare(asked);
  return faults.length > 0
    ? faultFindings('token', faults)
    : [ok('token', `taken, and sees the zone ${dns.zone}`)];
}
