/** Everything the local tailnet remembers; plain data, times in virtual milliseconds since the epoch. */
export interface TailscaleState {
  oauthClients: OAuthClient[];
  apiKey: string | undefined;
  /** By the token itself. */
  accessTokens: Record<string, AccessToken>;
  /** By key id. */
  keys: Record<string, AuthKey>;
  /** By node id; empty where the tailnet is a real one. */
  devices: Record<string, SimulatedDevice>;
  policy: PolicyFile;
  magicDns: boolean;
}

export interface OAuthClient {
  id: string;
  secret: string;
  description: string;
  scopes: string[];
  tags: string[];
}

export interface AccessToken {
  scopes: string[];
  tags: string[];
  expiresAt: number;
}

export interface AuthKey {
  id: string;
  /** What a machine enrols with; shown by the API only in the reply to its creation. */
  secret: string;
  description: string;
  /** Keys of OAuth clients belong to the tailnet, keys of an API key to its user. */
  owner: 'tailnet' | 'user';
  reusable: boolean;
  ephemeral: boolean;
  preauthorized: boolean;
  tags: string[];
  expirySeconds: number;
  createdAt: number;
  used: boolean;
}

export interface Device {
  nodeId: string;
  /** The older numeric identifier. */
  id: string;
  hostname: string;
  /** First label of the MagicDNS name, unique in the tailnet. */
  label: string;
  ipv4: string;
  ipv6: string;
  os: string;
  tags: string[];
  authorized: boolean;
  ephemeral: boolean;
  online: boolean;
  createdAt: number;
  lastSeenAt: number;
  /** Undefined: the node key does not expire. */
  keyExpiresAt: number | undefined;
  machineKey: string;
  nodeKey: string;
  advertisedRoutes: string[];
  enabledRoutes: string[];
}

export interface SimulatedDevice extends Device {
  /** The address that came from the pool and goes back there, whatever `ipv4` was set to since. */
  pooledAddress: string;
}

export interface PolicyFile {
  hujson: string;
  /** True until the first write: what `If-Match: "ts-default"` asks for. */
  isDefault: boolean;
}

/** Where the parts find the present state; `restore` and `reset` put another one in. */
export interface Store {
  state: TailscaleState;
}
