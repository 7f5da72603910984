import type { Image, ServerTypeState } from './catalogue';
import type { HetznerSettings } from './settings';

/** Everything the vendor remembers. Plain data only: a snapshot is a deep copy of it. */
export interface State {
  lastId: number;
  /** Number of IPv6 networks handed out so far. */
  ipv6Networks: number;
  catalogue: CatalogueState;
  projects: Record<string, Project>;
  /** Actions that a test wants to fail, first match first. */
  plannedFailures: PlannedFailure[];
}

export interface CatalogueState {
  /** By type name. */
  serverTypes: Record<string, ServerTypeState>;
  /** Offered to every project. */
  systemImages: Record<number, Image>;
  /** Locations in which nothing can be made for now, as whole ones were in winter 2025/26. */
  disabledLocations: string[];
}

export interface PlannedFailure {
  command: string;
  code: string;
  message: string;
}

export interface Project {
  id: string;
  bucket: { tokens: number; refilledAt: number };
  actions: Record<number, Action>;
  /** Ids of the actions that have not ended, in order. */
  runningActions: number[];
  servers: Record<number, Server>;
  sshKeys: Record<number, SshKey>;
  networks: Record<number, Network>;
  firewalls: Record<number, Firewall>;
  placementGroups: Record<number, PlacementGroup>;
  primaryIps: Record<number, PrimaryIp>;
  volumes: Record<number, Volume>;
  snapshots: Record<number, Image>;
  /** Everything that was ever charged for, deleted things included. */
  bills: Bill[];
}

export type Labels = Record<string, string>;

export interface ResourceRef {
  type: 'server' | 'network' | 'firewall' | 'primary_ip' | 'volume' | 'image';
  id: number;
}

export interface Action {
  id: number;
  command: string;
  status: 'running' | 'success' | 'error';
  /** Virtual milliseconds. */
  started: number;
  /** When the work began: later than `started` for an action that waits for another. */
  workingSince: number | null;
  durationMs: number;
  finished: number | null;
  resources: ResourceRef[];
  error: { code: string; message: string } | null;
  /** Starts when this action has ended. */
  after: number | null;
  /** Whether the server is locked while it runs. */
  locks: boolean;
  /** False when it changes nothing. */
  effective: boolean;
  /** What the completion needs to know. */
  params: Record<string, string | number | boolean | null>;
}

export type ServerStatus =
  'initializing' | 'starting' | 'running' | 'stopping' | 'off' | 'deleting' | 'rebuilding' | 'migrating';

export interface PrivateNet {
  network: number;
  ip: string;
  aliasIps: string[];
  macAddress: string;
  /** False while the action that attaches it runs: the address is taken, but not shown yet. */
  attached: boolean;
}

export interface Server {
  id: number;
  name: string;
  status: ServerStatus;
  created: number;
  serverType: string;
  location: string;
  image: number | null;
  /** Copy of the image at creation: the server outlives the image. */
  imageData: Image;
  primaryDiskSize: number;
  labels: Labels;
  userData: string | null;
  sshPublicKeys: string[];
  primaryIps: { ipv4: number | null; ipv6: number | null };
  privateNet: PrivateNet[];
  firewalls: { id: number; status: 'applied' | 'pending' }[];
  placementGroup: number | null;
  volumes: number[];
  protection: { delete: boolean; rebuild: boolean };
  rescueEnabled: boolean;
  backupWindow: string | null;
  iso: string | null;
  /** True until the first start of a newly written disk. */
  freshDisk: boolean;
}

export interface SshKey {
  id: number;
  name: string;
  fingerprint: string;
  publicKey: string;
  labels: Labels;
  created: number;
}

export interface Subnet {
  type: 'cloud' | 'server' | 'vswitch';
  ipRange: string;
  networkZone: string;
  vswitchId: number | null;
}

export interface Network {
  id: number;
  name: string;
  ipRange: string;
  subnets: Subnet[];
  routes: { destination: string; gateway: string }[];
  labels: Labels;
  created: number;
  protection: { delete: boolean };
  exposeRoutesToVswitch: boolean;
}

export interface FirewallRule {
  direction: 'in' | 'out';
  protocol: 'tcp' | 'udp' | 'icmp' | 'esp' | 'gre';
  port: string | null;
  source_ips: string[];
  destination_ips: string[];
  description: string | null;
}

export interface Firewall {
  id: number;
  name: string;
  labels: Labels;
  created: number;
  rules: FirewallRule[];
  servers: number[];
  selectors: string[];
}

export interface PlacementGroup {
  id: number;
  name: string;
  labels: Labels;
  created: number;
  type: 'spread';
}

export interface PrimaryIp {
  id: number;
  name: string;
  type: 'ipv4' | 'ipv6';
  /** An address (IPv4) or a /64 (IPv6). */
  ip: string;
  location: string;
  assignee: number | null;
  autoDelete: boolean;
  labels: Labels;
  created: number;
  protection: { delete: boolean };
  dnsPtr: { ip: string; dns_ptr: string }[];
}

export interface Volume {
  id: number;
  name: string;
  size: number;
  location: string;
  server: number | null;
  format: string | null;
  status: 'creating' | 'available';
  labels: Labels;
  created: number;
  protection: { delete: boolean };
}

/** One stretch of time at one price: a rescaled server has several. */
export interface Bill {
  kind: 'server' | 'primary_ip';
  resource: number;
  name: string;
  /** Labels when the stretch began; an address made with a server has the server's. */
  labels: Labels;
  /** Server type, or `ipv4`. */
  type: string;
  location: string;
  from: number;
  until: number | null;
  /** Net EUR, as they were when the stretch began. */
  hourly: number;
  monthly: number;
}

export function emptyProject(id: string, now: number, settings: HetznerSettings): Project {
  return {
    id,
    bucket: { tokens: settings.rateLimitPerHour, refilledAt: now },
    actions: {},
    runningActions: [],
    servers: {},
    sshKeys: {},
    networks: {},
    firewalls: {},
    placementGroups: {},
    primaryIps: {},
    volumes: {},
    snapshots: {},
    bills: [],
  };
}
