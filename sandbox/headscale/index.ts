import { HOST_ADDRESS } from '../kernel/guest-network';
import { isThere } from '../kernel/programs';
import type { Kernel } from '../kernel/vendor';
import { startPackageRepository, tailscalePackage } from '../packages';
import { initialPolicy, parsePolicy } from '../tailscale/policy';
import type { TailscaleSettings } from '../tailscale/settings';
import type { Tailnet } from '../tailscale/tailnet';
import { HeadscaleClient } from './client';
import { requirePrograms } from './programs';
import { startHeadscale } from './server';
import { HeadscaleTailnet, PERSON } from './tailnet';

/** How machines come into a real tailnet. */
export interface TailnetEndpoints {
  /** For the workers' configuration (`tailscale.loginServer`, `tailscale.packages`): as real guests see this machine. */
  loginServer: string;
  packages: string;
  /** For a `tailscaled` on this machine itself. */
  hostLoginServer: string;
  /** Folder of the programs `tailscale` and `tailscaled`. */
  programs: string;
}

export interface RealTailnet {
  tailnet: Tailnet;
  endpoints: TailnetEndpoints;
  close(): Promise<void>;
}

/**
 * A tailnet with a control server, a relay, and packages to join with. Its programs are built first, once, which takes
 * minutes.
 * @throws Error that says what is missing where that cannot be
 */
export async function startRealTailnet(
  kernel: Kernel,
  settings: TailscaleSettings,
  log: (line: string) => void,
): Promise<RealTailnet> {
  const { mode } = kernel.clock;
  if (mode.kind !== 'real' || mode.rate !== 1)
    throw new Error('a real tailnet lives in real time: start the sandbox with the real clock at rate 1');
  requirePrograms(isThere);
  const { cacheFolder } = await import('../../toolchain/ensure.mjs');
  const { ensureTailnet } = await import('../../toolchain/tailnet.mjs');
  const programs = await ensureTailnet({ log });
  const deb = await tailscalePackage({ programs, cache: cacheFolder() });
  const packages = await startPackageRepository({ packages: [deb], at: new Date(kernel.clock.now()) });
  const server = await startHeadscale(programs, {
    name: settings.tailnetName,
    ephemeralRemovalAfter: settings.ephemeralRemovalAfter,
  }).catch(async (error: unknown) => {
    await packages.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await Promise.all([packages.close(), server.close()]);
  };
  try {
    const hostLoginServer = `http://127.0.0.1:${server.port}`;
    const headscale = new HeadscaleClient(hostLoginServer, server.apiKey);
    const userId = await headscale.createUser(PERSON.replace('@', ''));
    const policy = parsePolicy(initialPolicy(settings).hujson);
    const tailnet = new HeadscaleTailnet(headscale, userId, policy);
    await tailnet.applyPolicy(policy);
    return {
      tailnet,
      endpoints: {
        loginServer: `http://${HOST_ADDRESS}:${server.port}`,
        packages: `http://${HOST_ADDRESS}:${packages.port}`,
        hostLoginServer,
        programs,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
