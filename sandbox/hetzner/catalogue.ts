import type { Labels } from './state';

export type Architecture = 'x86' | 'arm';

/** A location as the API shows it. */
export interface Location {
  id: number;
  name: string;
  description: string;
  country: string;
  city: string;
  latitude: number;
  longitude: number;
  network_zone: string;
}

export const LOCATIONS: readonly Location[] = [
  location(1, 'fsn1', 'Falkenstein DC Park 1', 'DE', 'Falkenstein', 50.47612, 12.370071, 'eu-central'),
  location(2, 'nbg1', 'Nuremberg DC Park 1', 'DE', 'Nuremberg', 49.452102, 11.076665, 'eu-central'),
  location(3, 'hel1', 'Helsinki DC Park 1', 'FI', 'Helsinki', 60.169857, 24.938379, 'eu-central'),
  location(4, 'ash', 'Ashburn, VA', 'US', 'Ashburn, VA', 39.045821, -77.487073, 'us-east'),
  location(5, 'hil', 'Hillsboro, OR', 'US', 'Hillsboro, OR', 45.54222, -122.951924, 'us-west'),
  location(6, 'sin', 'Singapore', 'SG', 'Singapore', 1.283333, 103.833333, 'ap-southeast'),
];

export const NETWORK_ZONES: readonly string[] = [...new Set(LOCATIONS.map((place) => place.network_zone))];

export const locationNamed = (name: string): Location | undefined =>
  LOCATIONS.find((place) => place.name === name);

/** Announcement that something ends; both in virtual milliseconds. */
export interface Deprecation {
  announced: number;
  unavailableAfter: number;
}

export interface ServerTypeLocation {
  /** What the type's list says. */
  available: boolean;
  /** Whether a server is really made; at the vendor the list is behind or ahead of it at times. */
  placeable: boolean;
  recommended: boolean;
  deprecation: Deprecation | null;
  /** Net EUR. */
  hourly: number;
  monthly: number;
}

export interface ServerType {
  id: number;
  name: string;
  category: string;
  cores: number;
  memory: number;
  disk: number;
  cpuType: 'shared' | 'dedicated';
  architecture: Architecture;
}

/** A server type with what changes over time, by location name. */
export interface ServerTypeState extends ServerType {
  locations: Record<string, ServerTypeLocation>;
}

const EUROPE = ['fsn1', 'nbg1', 'hel1'];
const OVERSEAS = ['ash', 'hil', 'sin'];
const EVERYWHERE = [...EUROPE, ...OVERSEAS];

/** The monthly price caps the hourly one at about 624 hours (checked on cx23: 5.49 / 0.0088). */
const HOURS_TO_MONTHLY_CAP = 624;

const COST_OPTIMIZED = 'Cost-Optimized';
const REGULAR = 'Regular Performance';
const GENERAL = 'General Purpose';

/** Types orderable in autumn 2026 with net EUR per month in the EU, from a third-party snapshot of 2026-09-08; where a type is sold everywhere, overseas costs a fifth more. */
const SERVER_TYPES: readonly [ServerType, monthly: number, locations: string[]][] = [
  [type(114, 'cx23', COST_OPTIMIZED, 2, 4, 40), 5.49, EUROPE],
  [type(115, 'cx33', COST_OPTIMIZED, 4, 8, 80), 8.49, EUROPE],
  [type(116, 'cx43', COST_OPTIMIZED, 8, 16, 160), 15.99, EUROPE],
  [type(117, 'cx53', COST_OPTIMIZED, 16, 32, 320), 29.49, EUROPE],
  [type(45, 'cax11', COST_OPTIMIZED, 2, 4, 40, 'arm'), 5.99, EUROPE],
  [type(93, 'cax21', COST_OPTIMIZED, 4, 8, 80, 'arm'), 9.99, EUROPE],
  [type(94, 'cax31', COST_OPTIMIZED, 8, 16, 160, 'arm'), 18.99, EUROPE],
  [type(95, 'cax41', COST_OPTIMIZED, 16, 32, 320, 'arm'), 36.49, EUROPE],
  [type(108, 'cpx12', REGULAR, 1, 2, 40), 9.99, EUROPE],
  [type(109, 'cpx22', REGULAR, 2, 4, 80), 19.49, EUROPE],
  [type(110, 'cpx32', REGULAR, 4, 8, 160), 35.49, EUROPE],
  [type(111, 'cpx42', REGULAR, 8, 16, 320), 69.49, EUROPE],
  [type(112, 'cpx52', REGULAR, 12, 24, 480), 100.49, EUROPE],
  [type(113, 'cpx62', REGULAR, 16, 32, 640), 129.99, EUROPE],
  [type(22, 'cpx11', REGULAR, 2, 2, 40), 7.49, OVERSEAS],
  [type(23, 'cpx21', REGULAR, 3, 4, 80), 13.49, OVERSEAS],
  [type(24, 'cpx31', REGULAR, 4, 8, 160), 23.99, OVERSEAS],
  [type(25, 'cpx41', REGULAR, 8, 16, 240), 44.49, OVERSEAS],
  [type(26, 'cpx51', REGULAR, 16, 32, 360), 88.99, OVERSEAS],
  [type(96, 'ccx13', GENERAL, 2, 8, 80), 42.99, EVERYWHERE],
  [type(97, 'ccx23', GENERAL, 4, 16, 160), 85.99, EVERYWHERE],
  [type(98, 'ccx33', GENERAL, 8, 32, 240), 138.49, EVERYWHERE],
  [type(99, 'ccx43', GENERAL, 16, 64, 360), 275.99, EVERYWHERE],
  [type(100, 'ccx53', GENERAL, 32, 128, 600), 551.99, EVERYWHERE],
  [type(101, 'ccx63', GENERAL, 48, 192, 960), 827.99, EVERYWHERE],
];

/** Hourly net prices that are known and do not follow from the monthly cap. */
const KNOWN_HOURLY: Readonly<Record<string, number>> = { cx23: 0.0088, cax11: 0.0096 };

/** Net EUR of a primary IPv4; IPv6 is free. */
export const IPV4_PRICE = { hourly: 0.0008, monthly: 0.5 };

export const VAT_PERCENT = 19;

const TERABYTE = 1024 ** 4;
/** Bytes of traffic included per location. */
export const includedTraffic = (place: string): number =>
  EUROPE.includes(place) ? 20 * TERABYTE : place === 'sin' ? TERABYTE / 2 : TERABYTE;
/** Net EUR per further terabyte. */
export const trafficPrice = (place: string): number => (place === 'sin' ? 7.4 : 1);

/** The catalogue at the start, to be kept in state. */
export function initialServerTypes(): Record<string, ServerTypeState> {
  return Object.fromEntries(
    SERVER_TYPES.map(([base, monthly, places]) => [
      base.name,
      {
        ...base,
        locations: Object.fromEntries(
          places.map((place) => [
            place,
            offer(
              base.name,
              places === EVERYWHERE && OVERSEAS.includes(place) ? monthly * 1.2 : monthly,
              place,
            ),
          ]),
        ),
      },
    ]),
  );
}

function offer(typeName: string, netMonthly: number, place: string): ServerTypeLocation {
  const monthly = round(netMonthly, 2);
  const hourly = KNOWN_HOURLY[typeName] ?? round(monthly / HOURS_TO_MONTHLY_CAP, 4);
  return {
    available: true,
    placeable: true,
    recommended: place !== 'hel1',
    deprecation: null,
    hourly,
    monthly,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export interface Image {
  id: number;
  type: 'system' | 'app' | 'snapshot' | 'backup';
  status: 'available' | 'creating';
  name: string | null;
  description: string;
  osFlavor: string;
  osVersion: string | null;
  architecture: Architecture;
  diskSize: number;
  imageSize: number | null;
  created: number;
  createdFrom: { id: number; name: string } | null;
  /** Virtual milliseconds when it was or will be deprecated. */
  deprecated: number | null;
  labels: Labels;
  protection: { delete: boolean };
}

/** Name, description, flavour, version, id for x86, id for arm. */
const IMAGES: readonly [string, string, string, string, x86: number, arm: number, Image['type']?][] = [
  ['debian-11', 'Debian 11', 'debian', '11', 45557056, 103908130],
  ['debian-12', 'Debian 12', 'debian', '12', 114690387, 114690389],
  ['debian-13', 'Debian 13', 'debian', '13', 310557660, 310557666],
  ['ubuntu-22.04', 'Ubuntu 22.04', 'ubuntu', '22.04', 67794396, 103907373],
  ['ubuntu-24.04', 'Ubuntu 24.04', 'ubuntu', '24.04', 161547269, 161547270],
  ['ubuntu-26.04', 'Ubuntu 26.04', 'ubuntu', '26.04', 389203471, 389203472],
  ['fedora-43', 'Fedora 43', 'fedora', '43', 336801218, 336801219],
  ['fedora-44', 'Fedora 44', 'fedora', '44', 391022110, 391022111],
  ['rocky-9', 'Rocky Linux 9', 'rocky', '9', 76766499, 103908070],
  ['rocky-10', 'Rocky Linux 10', 'rocky', '10', 305778230, 305778231],
  ['alma-9', 'AlmaLinux OS 9', 'alma', '9', 76766500, 103908071],
  ['alma-10', 'AlmaLinux OS 10', 'alma', '10', 296713601, 296713602],
  ['docker-ce', 'Docker CE', 'ubuntu', '24.04', 40093247, 105888141, 'app'],
];

const IMAGES_PUBLISHED = Date.UTC(2025, 0, 15);

/** The vendor's own images at the start, by id. */
export function initialImages(): Record<number, Image> {
  const entries = IMAGES.flatMap(([name, description, osFlavor, osVersion, x86, arm, kind]) =>
    (
      [
        [x86, 'x86'],
        [arm, 'arm'],
      ] as const
    ).map(([id, architecture]): [number, Image] => [
      id,
      {
        id,
        type: kind ?? 'system',
        status: 'available',
        name,
        description,
        osFlavor,
        osVersion,
        architecture,
        diskSize: kind === 'app' ? 20 : 5,
        imageSize: null,
        created: IMAGES_PUBLISHED,
        createdFrom: null,
        deprecated: null,
        labels: {},
        protection: { delete: false },
      },
    ]),
  );
  return Object.fromEntries(entries);
}

function location(
  id: number,
  name: string,
  description: string,
  country: string,
  city: string,
  latitude: number,
  longitude: number,
  networkZone: string,
): Location {
  return { id, name, description, country, city, latitude, longitude, network_zone: networkZone };
}

function type(
  id: number,
  name: string,
  category: string,
  cores: number,
  memory: number,
  disk: number,
  architecture: Architecture = 'x86',
): ServerType {
  const cpuType = category === GENERAL ? 'dedicated' : 'shared';
  return { id, name, category, cores, memory, disk, cpuType, architecture };
}
