/** A distribution and release that the documents are written for. */
export interface OperatingSystem {
  distribution: 'debian' | 'ubuntu';
  /** The release's code name, as package repositories spell it, e.g. `bookworm`. */
  suite: string;
}

const operatingSystems: Readonly<Record<string, OperatingSystem>> = {
  'debian-11': { distribution: 'debian', suite: 'bullseye' },
  'debian-12': { distribution: 'debian', suite: 'bookworm' },
  'debian-13': { distribution: 'debian', suite: 'trixie' },
  'ubuntu-22.04': { distribution: 'ubuntu', suite: 'jammy' },
  'ubuntu-24.04': { distribution: 'ubuntu', suite: 'noble' },
  'ubuntu-26.04': { distribution: 'ubuntu', suite: 'resolute' },
};

/** Names of the images whose machines these documents can set up. */
export const supportedImages: readonly string[] = Object.keys(operatingSystems);

/** The operating system of one of the vendor's images; undefined for a family that is not supported. */
export function osOf(image: string): OperatingSystem | undefined {
  return Object.hasOwn(operatingSystems, image) ? operatingSystems[image] : undefined;
}

/** How the machine is reached by SSH: keys only, with a host key known beforehand. */
export interface Ssh {
  port: number;
  /** Public keys for root, one line each. */
  authorizedKeys: string[];
  /** The machine's only host key; see `hostKeyFromSeed`. `privateKey` is an OpenSSH PEM and a secret. */
  hostKey: { privateKey: string; publicKey: string };
}

/** How the machine joins the tailnet. */
export interface Tailscale {
  /** Single use, short-lived; a secret. */
  authKey: string;
  /** With their `tag:` prefix; within the key's own tags. */
  tags: string[];
  /** Base URL of the package repository; the vendor's is `defaultTailscalePackages`. */
  packages: string;
  /** URL of another control server; the vendor's when left out. */
  loginServer?: string;
}

/** Where the machine's packets leave. */
export type Network =
  | { kind: 'public' }
  | {
      kind: 'private-only';
      /** First IP of the network's range; every packet of a private machine goes through it. */
      gateway: string;
      /** Range of the network. */
      cidr: string;
      /** Name servers reached through the NAT machine; `defaultResolvers` when left out. */
      resolvers?: string[];
    };

/** The reverse proxy in front of the workload and of containers that are started later. */
export interface Traefik {
  /** Container image with its version; `defaultTraefikImage` is one known to work. */
  image: string;
  /** Ports on the machine; left out: 80 and 443 (TLS with Traefik's own certificate, as behind a proxied name). */
  ports?: { http: number; https: number };
}

/** The container that does the machine's work. */
export interface Container {
  /** Image with tag or digest. */
  image: string;
  /** Environment of the container; names are identifiers, values may be secrets of any content but NUL. */
  env: Record<string, string>;
  /** Replaces the image's command. */
  args?: string[];
  /** Seconds between SIGTERM and SIGKILL when the unit stops; 30 when left out. */
  stopGrace?: number;
  /** Makes Traefik route this host name to this port of the container. */
  route?: { host: string; port: number };
}

/** What every machine has. */
export interface Machine {
  environment: string;
  hostname: string;
  os: OperatingSystem;
  ssh: Ssh;
  tailscale?: Tailscale;
  /** NTP servers to ask instead of the image's own. */
  timeServers?: string[];
  /** Certificates (PEM) of private authorities to trust, for a login server or repository of one's own. */
  trustedCertificates?: string[];
}

/** One worker of a pool; plain resolved values only. */
export interface WorkerMachine extends Machine {
  pool: string;
  workerId: string;
  network: Network;
  /** Implied by `traefik` and `workload`. */
  docker: boolean;
  /** URLs of mirrors that Docker asks before Docker Hub. */
  registryMirrors?: string[];
  traefik?: Traefik;
  workload?: { container: Container };
  /** Jobs that the worker runs at once; told to the service. */
  slots: number;
  /** Where the worker registers and sends its heartbeat; the token is a secret. */
  service?: { url: string; token: string };
}

/** The NAT machine of a network. */
export interface GatewayMachine extends Machine {
  /** Range of the network whose machines reach the internet through this one. */
  cidr: string;
}

/** The vendor's repository of Tailscale packages. */
export const defaultTailscalePackages = 'https://pkgs.tailscale.com/stable';

/** Hetzner's recursive name servers. Source: https://docs.hetzner.com/dns-console/dns/general/recursive-name-servers */
export const defaultResolvers: readonly string[] = ['185.12.64.1', '185.12.64.2'];

/** From 3.6.2 on Traefik negotiates the Docker API's version, so it works with every Docker packaged by Debian and Ubuntu. */
export const defaultTraefikImage = 'traefik:v3.6.13';
