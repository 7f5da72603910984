import type { PoolConfig } from './config-schema';

/** Smallest and largest size of a pool. */
export function sizeBounds(pool: PoolConfig): { min: number; max: number } {
  return 'fixed' in pool.size ? { min: pool.size.fixed, max: pool.size.fixed } : pool.size;
}

/** Whether workers of the pool have no public address and need the NAT gateway to reach the internet. */
export function isPrivateOnly(pool: PoolConfig): boolean {
  return !pool.publicNetwork.ipv4 && !pool.publicNetwork.ipv6;
}
