import { z } from 'zod';

/** Seconds that each kind of action takes, before `durationFactor`. Rounded from what accounts see. */
const durationsSchema = z
  .strictObject({
    createServer: z.number().min(0).default(8),
    startServer: z.number().min(0).default(2),
    stopServer: z.number().min(0).default(2),
    /** From the ACPI signal of `shutdown` until the machine is off; the action itself ends after a second. */
    shutdown: z.number().min(0).default(5),
    reboot: z.number().min(0).default(3),
    deleteServer: z.number().min(0).default(1),
    rebuildServer: z.number().min(0).default(10),
    changeServerType: z.number().min(0).default(40),
    createImage: z.number().min(0).default(60),
    attachNetwork: z.number().min(0).default(2),
    detachNetwork: z.number().min(0).default(2),
    network: z.number().min(0).default(0.5),
    firewall: z.number().min(0).default(1.5),
    primaryIp: z.number().min(0).default(1),
    volume: z.number().min(0).default(2),
    /** Everything else: protection, DNS entries, rescue mode. */
    other: z.number().min(0).default(0.3),
  })
  .prefault({});

/**
 * Limits per project. Servers, primary IPs and the like are granted per account and are not published: the
 * defaults are what young accounts report. Groups, networks and firewalls are the documented hard limits.
 */
const limitsSchema = z
  .strictObject({
    servers: z.int().min(0).default(10),
    /** IPv4 only: the scarce ones. */
    primaryIps: z.int().min(0).default(10),
    sshKeys: z.int().min(0).default(50),
    networks: z.int().min(0).default(50),
    subnetsPerNetwork: z.int().min(0).default(50),
    routesPerNetwork: z.int().min(0).default(100),
    serversPerNetwork: z.int().min(0).default(100),
    networksPerServer: z.int().min(0).default(3),
    firewalls: z.int().min(0).default(50),
    rulesPerFirewall: z.int().min(0).default(50),
    firewallsPerServer: z.int().min(0).default(5),
    placementGroups: z.int().min(0).default(50),
    serversPerPlacementGroup: z.int().min(0).default(10),
    volumes: z.int().min(0).default(50),
    snapshots: z.int().min(0).default(30),
  })
  .prefault({});

const snapshotSchema = z.strictObject({
  description: z.string(),
  architecture: z.enum(['x86', 'arm']).default('x86'),
  diskSize: z.number().positive().default(40),
  labels: z.record(z.string(), z.string()).default({}),
});

/** Settings of the Hetzner side of the local cloud; every field has a default. */
export const hetznerSettingsSchema = z.strictObject({
  /** Names of the projects; each gets a read-write and a read-only token of its own. */
  projects: z.array(z.string().min(1)).min(1).default(['default']),
  limits: limitsSchema,
  durations: durationsSchema,
  /** Multiplies all action durations: 0 makes every action end at once. */
  durationFactor: z.number().min(0).default(1),
  /** Requests per hour and project; the bucket refills evenly. */
  rateLimitPerHour: z.number().int().positive().default(3600),
  /** Snapshots that every project has from the start. */
  snapshots: z.array(snapshotSchema).default([]),
});

export type HetznerSettings = z.output<typeof hetznerSettingsSchema>;
export type Limits = HetznerSettings['limits'];
export type Durations = HetznerSettings['durations'];
