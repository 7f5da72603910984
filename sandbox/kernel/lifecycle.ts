/** What a machine gets to know of itself when it starts. */
export interface ServerStart {
  serverId: number;
  projectId: string;
  name: string;
  /** Name of the vendor's image that it was made of; undefined for a snapshot. */
  image: string | undefined;
  location: string;
  /** As the API took it; undefined when there was none. */
  userData: string | undefined;
  /** Public keys of the SSH keys named at creation. */
  sshPublicKeys: string[];
  /** The public IPv4 address (a loopback address in the sandbox), if it has one. */
  publicIpv4: string | undefined;
  publicIpv6: string | undefined;
  privateIps: string[];
  /** True on the first start of a fresh disk (creation, rebuild): cloud-init runs its once-only parts. */
  freshDisk: boolean;
}

/** What the Hetzner side tells whoever plays the machines. Called synchronously at the virtual instant. */
export interface MachineHost {
  started(server: ServerStart): void;
  stopped(serverId: number): void;
  deleted(serverId: number): void;
}

/** A machine that takes jobs of one pool's queue, so many at once. */
export interface JobHost {
  serverId: number;
  pool: string;
  slots: number;
}

/** Whoever has work for the machines: told what becomes of them, at the virtual instant. */
export interface Work {
  /** It takes jobs from now on, unless it drains. */
  up(host: JobHost): void;
  /** It was told to take no further jobs, or that it may again. */
  drain(serverId: number, draining: boolean): void;
  /** It runs and does nothing any more: its jobs never end. */
  hung(serverId: number): void;
  /** It has lost its power: its jobs are gone. */
  down(serverId: number): void;
  /** Virtual milliseconds at which each of its running jobs began, oldest first. */
  running(serverId: number): number[];
}

/** A private network as one of its machines sees it. */
export interface PrivateInterface {
  networkId: number;
  networkName: string;
  /** Range of the whole network, `10.0.0.0/16`. */
  range: string;
  /** The range's first address, which all of its packets go through. */
  gateway: string;
  ip: string;
  aliasIps: string[];
  macAddress: string;
}

/** What a machine can ask of the network it hangs on. Answered from the Hetzner side's present state. */
export interface NetworkView {
  /** Whether the server's firewalls let a TCP connection from `sourceIp` to its public address through. */
  acceptsInbound(serverId: number, port: number, sourceIp: string): boolean;
  /** The running server that has this address in a private network of the server. */
  neighbour(serverId: number, address: string): number | undefined;
  /** The private networks that the server is attached to, in the order of attachment. */
  privateInterfaces(serverId: number): PrivateInterface[];
  /** The address within a private network that the network's routes send a packet for `destination` to. */
  nextHop(networkId: number, destination: string): string | undefined;
  /**
   * How the server reaches the internet: by an address of its own, through a route of its private network
   * (`gatewayServerId` is the running server that the route points at), or not at all.
   */
  egress(
    serverId: number,
  ): { kind: 'public' } | { kind: 'routed'; gatewayServerId: number } | { kind: 'none' };
}

/** What a machine can do on the tailnet. */
export interface TailnetHost {
  /**
   * Enrols a machine with an auth key.
   * @throws EnrolmentRefusedError with the reason when the key is unknown, used, expired or revoked, or lacks an asked tag
   */
  enrol(request: { authKey: string; hostname: string; advertiseTags: string[]; os: string }): TailnetDevice;
  /** Sets whether the device is connected; an unknown device is ignored (it was deleted by the API). */
  setOnline(nodeId: string, online: boolean): void;
  /** `tailscale logout`: an ephemeral device disappears at once. */
  logout(nodeId: string): void;
}

export interface TailnetDevice {
  nodeId: string;
  /** MagicDNS name, `host.tailnet.ts.net`. */
  name: string;
  addresses: string[];
}

export class EnrolmentRefusedError extends Error {
  override name = 'EnrolmentRefusedError';
}

/** Hands out addresses that belong to this sandbox alone, so that two can run on one machine. */
export interface AddressPool {
  /** A free loopback IPv4 address; throws when the block is used up. */
  take(): string;
  release(address: string): void;
}
