import { z } from 'zod';
import type { StackConfig } from '../../components/model/config-schema';
import { userDataSizes, type UserDataSize } from '../../components/model/user-data';
import type { Credentials, HetznerCredentials } from '../../components/preflight/credentials';
import { readHetzner, type ExistingServer, type HetznerFacts } from '../../components/preflight/hetzner';
import { hetznerRequest } from '../../components/preflight/hetzner-list';
import { requestJson, VendorError } from '../../components/preflight/http';
import { readPublicKeys } from '../../components/preflight/ssh-keys';
import type { Prices } from './cost';
import type { Money } from './report';

/** What is known of the world beside the engine's plan. */
export interface Facts {
  servers: ExistingServer[];
  /** A sentence where they could not be read. */
  prices: Prices | string;
  userData: UserDataSize[];
}

const price = z.object({ gross: z.string() });
const pricingSchema = z.object({
  pricing: z.object({
    primary_ips: z.array(
      z.object({
        type: z.string(),
        prices: z.array(z.object({ location: z.string(), price_hourly: price, price_monthly: price })),
      }),
    ),
  }),
});

/**
 * Reads prices and the workers' servers. A vendor that does not answer is no failure here: the program asks the same and says
 * what is wrong.
 * @param directory folder that relative key files are looked up in
 */
export async function readFacts(
  environment: string,
  config: StackConfig,
  { hetzner }: Credentials,
  directory: string,
): Promise<Facts> {
  const shared =
    config.network && 'stack' in config.network ? config.network.stack.split('/').at(-1) : undefined;
  try {
    const [facts, ipv4] = await Promise.all([
      readHetzner(hetzner, {
        environment,
        imageNames: [],
        ...(shared === undefined ? {} : { networkName: shared }),
      }),
      readIpv4Prices(hetzner),
    ]);
    return {
      servers: facts.servers,
      prices: { serverTypes: facts.serverTypes, ipv4 },
      userData: sizes(environment, config, directory, facts),
    };
  } catch (error) {
    if (!(error instanceof VendorError)) throw error;
    return {
      servers: [],
      prices: `Prices could not be read, so no cost is told: ${error.message}`,
      userData: sizes(environment, config, directory),
    };
  }
}

async function readIpv4Prices(credentials: HetznerCredentials): Promise<Map<string, Money>> {
  const { pricing } = await requestJson(
    hetznerRequest(credentials, { path: '/pricing', schema: pricingSchema }),
  );
  const ipv4 = pricing.primary_ips.find(({ type }) => type === 'ipv4')?.prices ?? [];
  return new Map(
    ipv4.map(({ location, price_hourly, price_monthly }) => [
      location,
      { hourly: Number(price_hourly.gross), monthly: Number(price_monthly.gross) },
    ]),
  );
}

function sizes(
  environment: string,
  config: StackConfig,
  directory: string,
  facts?: HetznerFacts,
): UserDataSize[] {
  const { keys, faults } = readPublicKeys(config.access.sshKeys, directory);
  // The program tells of a missing key file.
  if (faults.length > 0) return [];
  const { network } = config;
  const networkCidr = network && ('stack' in network ? facts?.networks[0]?.ip_range : network.cidr);
  return userDataSizes(config, { environment, authorizedKeys: keys.map(({ line }) => line), networkCidr });
}
