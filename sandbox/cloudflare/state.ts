import type { Bucket } from './rate-limit';

/** Everything the local account remembers; plain data. */
export interface CloudflareState {
  token: string;
  tokenId: string;
  accountId: string;
  zones: Zone[];
  /** By zone id, in the order of creation. */
  records: Record<string, DnsRecord[]>;
  bucket: Bucket;
}

export interface Zone {
  /** 32 hexadecimal digits, as all ids here. */
  id: string;
  name: string;
  createdOn: string;
}

/** A DNS record as the API shows it, without what follows from the rest. Times are RFC 3339. */
export interface DnsRecord {
  id: string;
  /** Fully qualified, lower case. */
  name: string;
  type: string;
  content: string;
  /** Seconds; 1 means automatic. */
  ttl: number;
  proxied: boolean;
  comment: string | null;
  tags: string[];
  settings: Record<string, unknown>;
  priority?: number;
  data?: Record<string, unknown>;
  created_on: string;
  modified_on: string;
  comment_modified_on?: string;
  tags_modified_on?: string;
}

/** Where the parts find the present state; `restore` and `reset` put another one in. */
export interface Store {
  state: CloudflareState;
}
