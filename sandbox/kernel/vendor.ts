import type { FastifyInstance } from 'fastify';
import type { Clock } from './clock';
import type { Random } from './random';
import type { Schedule } from './schedule';

/** What every part of the local cloud is built on. */
export interface Kernel {
  clock: Clock;
  schedule: Schedule;
  random: Random;
}

/** One vendor's API with its state. */
export interface Vendor {
  readonly name: 'hetzner' | 'tailscale' | 'cloudflare';
  /** Path prefix that belongs to this vendor, as in the vendor's own URLs: `/v1`, `/api/v2`, `/client/v4`. */
  readonly prefix: string;
  /** Registers the routes with their full paths (prefix included) and the vendor's own error handling. */
  register(app: FastifyInstance): void;
  /** The vendor's error body, for scripted faults. */
  errorBody(status: number, code: string, message: string, details?: unknown): unknown;
  /** How the vendor refuses a call for too many of them (429), at this virtual millisecond. */
  rateLimited(now: number): { code: string; message: string; headers: Record<string, string> };
  /** Plain data; `restore(snapshot())` changes nothing. */
  snapshot(): unknown;
  restore(data: unknown): void;
  /** Back to the state after start: same tokens, nothing made. */
  reset(): void | Promise<void>;
}
