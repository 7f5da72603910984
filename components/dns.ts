import * as cloudflare from '@pulumi/cloudflare';
import * as pulumi from '@pulumi/pulumi';
import type { DnsConfig, StackConfig } from './model/config-schema';
import type { MemberRecord } from './model/membership';
import { resourceName, type WorkerPart } from './model/names';
import type { Worker } from './worker';

export interface DnsArgs {
  config: StackConfig;
  dns: DnsConfig;
  zoneId: string;
  /** Name under which the environment's records stand, e.g. `staging.example.com`. */
  suffix: string;
  pools: { name: string; workers: { member: MemberRecord; worker: Worker }[] }[];
}

/**
 * The environment's names: a wildcard over the workers that serve, and tenants' names over the workers of their pool.
 * A name has one address record for each worker (round robin).
 */
export class Dns extends pulumi.ComponentResource {
  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('workerpools:index:Dns', name, {}, opts);
    const { config, dns } = args;
    if (dns.wildcard) {
      const serving = args.pools.filter((pool) => config.pools[pool.name]?.workload.traefik);
      for (const pool of serving) this.addressRecords(args, '*', 'wildcard', pool.workers);
    }
    for (const [tenant, poolName] of Object.entries(dns.tenants)) {
      const pool = args.pools.find((candidate) => candidate.name === poolName);
      this.addressRecords(args, tenant, `tenant-${tenant}`, pool?.workers ?? []);
    }
    this.registerOutputs({});
  }

  private addressRecords(
    { dns, zoneId, suffix }: DnsArgs,
    label: string,
    part: WorkerPart,
    workers: { member: MemberRecord; worker: Worker }[],
  ): void {
    for (const { member, worker } of workers) {
      new cloudflare.DnsRecord(
        resourceName(member.id, part),
        {
          zoneId,
          name: `${label}.${suffix}`,
          type: worker.address.type,
          content: worker.address.content,
          // Proxied records have no time to live of their own: 1 is Cloudflare's "automatic".
          ttl: dns.proxied ? 1 : 60,
          proxied: dns.proxied,
        },
        { parent: this, deleteBeforeReplace: true },
      );
    }
  }
}

/** `staging.example.com`, from the configured subdomain or the environment's name. */
export function dnsSuffix(dns: DnsConfig, environment: string): string {
  return `${dns.subdomain ?? environment}.${dns.zone}`;
}
