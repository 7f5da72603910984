import type { OwnNetworkConfig, Placement, StackConfig } from '../model/config-schema';
import type { ConfigFault } from '../model/errors';
import { didYouMean } from '../model/near-matches';
import { CONFIG_NAMESPACE } from '../model/schema-faults';
import type { HetznerFacts, Image, ServerType } from './hetzner';

/** What is wrong with the plan, and what will be one day. */
export interface Findings {
  faults: ConfigFault[];
  warnings: string[];
}

/** One place of the configuration that asks for a kind of machine. */
interface Wanted {
  path: string;
  image: string;
  imagePath: string;
  placement: Placement;
  zone: string | undefined;
  /** Whether nothing was ever launched for it: then it must not begin on what is about to end. */
  isNew: boolean;
}

/**
 * Holds every machine that the configuration asks for against what Hetzner offers at `now` (ms since the epoch).
 * @param knownPools pools that the stack has had already: what they use may be on its way out, and is a warning
 */
export function checkPlacements(
  config: StackConfig,
  facts: HetznerFacts,
  now: number,
  knownPools: readonly string[],
): Findings {
  const findings: Findings = { faults: [], warnings: [] };
  const images = new Set<string>();
  for (const wanted of wantedMachines(config, knownPools)) {
    const type = checkServerType(wanted, facts, now, findings);
    const isLocation = checkLocation(wanted, facts, findings);
    if (type && isLocation) checkOffer(wanted, type, now, findings);
    if (!images.has(wanted.imagePath)) {
      images.add(wanted.imagePath);
      checkImage(wanted, facts.images, now, findings);
    }
    if (type) checkArchitecture(wanted, type, facts.images, findings);
  }
  return findings;
}

function wantedMachines(config: StackConfig, knownPools: readonly string[]): Wanted[] {
  const own = config.network && !('stack' in config.network) ? config.network : undefined;
  const pools = Object.entries(config.pools).flatMap(([name, pool]) =>
    pool.placements.map((placement, index) => ({
      path: `pools.${name}.placements[${index}]`,
      image: pool.image,
      imagePath: `pools.${name}.image`,
      placement,
      zone: own?.zone,
      isNew: !knownPools.includes(name),
    })),
  );
  return [...pools, ...gatewayMachine(own, knownPools.length === 0)];
}

function gatewayMachine(network: OwnNetworkConfig | undefined, isNew: boolean): Wanted[] {
  if (!network?.natGateway) return [];
  const { serverType, location, image } = network.natGateway;
  return [
    {
      path: 'network.natGateway',
      image,
      imagePath: 'network.natGateway.image',
      placement: { serverType, location },
      zone: network.zone,
      isNew,
    },
  ];
}

function checkServerType(
  { path, placement, isNew }: Wanted,
  { serverTypes }: HetznerFacts,
  now: number,
  { faults, warnings }: Findings,
): ServerType | undefined {
  const names = serverTypes.map(({ name }) => name);
  const type = serverTypes.find(({ name }) => name === placement.serverType);
  if (!type) {
    faults.push(
      fault(
        `${path}.serverType`,
        `Hetzner has no server type "${placement.serverType}".${didYouMean(placement.serverType, names)}`,
      ),
    );
    return undefined;
  }
  noteDeprecation(
    `${path}.serverType`,
    `server type ${type.name}`,
    type.deprecation,
    { now, isNew },
    {
      faults,
      warnings,
    },
  );
  return type;
}

/** Whether there is such a location at all; only then its offers are worth a look. */
function checkLocation(
  { path, placement, zone }: Wanted,
  { locations }: HetznerFacts,
  { faults }: Findings,
): boolean {
  const location = locations.find(({ name }) => name === placement.location);
  if (!location) {
    const names = locations.map(({ name }) => name);
    faults.push(
      fault(
        `${path}.location`,
        `Hetzner has no location "${placement.location}".${didYouMean(placement.location, names)} There are: ${names.join(', ')}.`,
      ),
    );
    return false;
  }
  if (zone !== undefined && location.network_zone !== zone) {
    faults.push(
      fault(
        `${path}.location`,
        `${location.name} is in network zone ${location.network_zone}, and the network is in ${zone}; all machines of one network must be in its zone`,
      ),
    );
  }
  return true;
}

function checkOffer(
  { path, placement, isNew }: Wanted,
  type: ServerType,
  now: number,
  findings: Findings,
): void {
  const known = type.locations.map(({ name }) => name);
  const offer = type.locations.find(({ name }) => name === placement.location);
  if (known.length === 0) return;
  if (!offer) {
    findings.faults.push(
      fault(
        path,
        `server type ${type.name} is not offered in ${placement.location}; it is in ${known.join(', ')}`,
      ),
    );
    return;
  }
  noteDeprecation(
    path,
    `server type ${type.name} in ${offer.name}`,
    offer.deprecation,
    { now, isNew },
    findings,
  );
  if (!offer.available) {
    findings.warnings.push(
      `${CONFIG_NAMESPACE}:${path}: ${type.name} is sold out in ${offer.name} at the moment; later placements are used instead`,
    );
  }
}

function checkImage({ image, imagePath }: Wanted, images: Image[], now: number, findings: Findings): void {
  const found = images.filter(({ name }) => name === image);
  if (found.length === 0) {
    findings.faults.push(
      fault(
        imagePath,
        `Hetzner has no image "${image}"; see the list with \`hcloud image list --type system\``,
      ),
    );
    return;
  }
  const deprecated = found.find((candidate) => candidate.deprecated)?.deprecated;
  if (deprecated && Date.parse(deprecated) <= now) {
    findings.warnings.push(
      `${CONFIG_NAMESPACE}:${imagePath}: image ${image} is deprecated since ${day(deprecated)} and goes three months after that; move to a newer one`,
    );
  }
}

function checkArchitecture(
  { path, image, imagePath }: Wanted,
  type: ServerType,
  images: Image[],
  findings: Findings,
): void {
  const architectures = images.filter(({ name }) => name === image).map(({ architecture }) => architecture);
  if (architectures.length === 0 || architectures.includes(type.architecture)) return;
  findings.faults.push(
    fault(
      imagePath,
      `image ${image} is for ${[...new Set(architectures)].join(' and ')}, and ${type.name} (${path}) is ${type.architecture}; choose an image or a server type of the other's architecture`,
    ),
  );
}

function noteDeprecation(
  path: string,
  what: string,
  deprecation: { announced: string; unavailable_after: string } | null | undefined,
  { now, isNew }: { now: number; isNew: boolean },
  { faults, warnings }: Findings,
): void {
  if (!deprecation) return;
  const last = day(deprecation.unavailable_after);
  if (Date.parse(deprecation.unavailable_after) <= now) {
    faults.push(fault(path, `${what} is deprecated and cannot be ordered since ${last}; choose another`));
    return;
  }
  const ends = `${what} is deprecated (announced ${day(deprecation.announced)}) and cannot be ordered after ${last}`;
  if (isNew) faults.push(fault(path, `${ends}; begin with another`));
  else warnings.push(`${CONFIG_NAMESPACE}:${path}: ${ends}; plan a successor`);
}

function day(time: string): string {
  return time.slice(0, 10);
}

function fault(path: string, message: string): ConfigFault {
  return { path: `${CONFIG_NAMESPACE}:${path}`, message };
}

/** The first placement that can be had now; the first of all when none can, so that the vendor's own words are shown. */
export function choosePlacement(placements: Placement[], serverTypes: ServerType[]): Placement {
  const available = placements.find(({ serverType, location }) =>
    serverTypes
      .find(({ name }) => name === serverType)
      ?.locations.some((offer) => offer.name === location && offer.available),
  );
  return available ?? placements[0]!;
}
