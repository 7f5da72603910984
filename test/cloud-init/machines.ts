import { createHash } from 'node:crypto';
import {
  defaultTailscalePackages,
  defaultTraefikImage,
  hostKeyFromSeed,
  osOf,
  type GatewayMachine,
  type MachineDocument,
  type OperatingSystem,
  type WorkerMachine,
  gatewayDocument,
  workerDocument,
} from '../../cloud-init';

/** Repeatable stand-ins for random secrets: as hard to compress as real ones. */
function random(name: string, bytes: number): string {
  return createHash('sha512').update(name).digest().subarray(0, bytes).toString('base64url');
}

export function os(image: string): OperatingSystem {
  const found = osOf(image);
  if (!found) throw new Error(`no operating system for ${image}`);
  return found;
}

export const ssh = {
  port: 22,
  authorizedKeys: [
    hostKeyFromSeed(createHash('sha256').update('operator').digest(), 'operator@example.com').publicKey,
  ],
  hostKey: hostKeyFromSeed(createHash('sha256').update('host').digest(), ''),
};

export const tailscale = {
  authKey: `tskey-auth-${random('id', 12)}CNTRL-${random('key', 24)}`,
  tags: ['tag:worker', 'tag:staging'],
  packages: defaultTailscalePackages,
};

/** A worker as pools of the staging environment have it: tailnet, Docker, heartbeat. */
export const worker: WorkerMachine = {
  environment: 'staging',
  pool: 'ci',
  workerId: 'ci-000a',
  hostname: 'staging-ci-000a',
  os: os('debian-12'),
  ssh,
  network: { kind: 'public' },
  tailscale,
  docker: true,
  slots: 4,
  service: { url: 'https://workers.staging.example.com', token: random('token', 32) },
};

/** The least: a machine that SSH reaches. */
export const bare: WorkerMachine = {
  environment: 'staging',
  pool: 'plain',
  workerId: 'plain-0001',
  hostname: 'staging-plain-0001',
  os: os('debian-12'),
  ssh,
  network: { kind: 'public' },
  docker: false,
  slots: 1,
};

export const privateOnly = { kind: 'private-only' as const, gateway: '10.20.0.1', cidr: '10.20.0.0/16' };

/** Everything at once. */
export const full: WorkerMachine = {
  ...worker,
  os: os('ubuntu-24.04'),
  ssh: { ...ssh, port: 2222 },
  network: { ...privateOnly, resolvers: ['10.20.0.53'] },
  tailscale: {
    ...tailscale,
    packages: 'http://10.20.0.9:8080/stable/',
    loginServer: 'https://headscale.example.com',
  },
  traefik: { image: defaultTraefikImage, ports: { http: 8080, https: 8443 } },
  workload: {
    container: {
      image: 'registry.example.com/team/runner:1.4.2',
      env: {
        QUEUE_URL: "postgres://u:p'$w@db/queue",
        DOCKER_HOST: 'tcp://inner:2375',
        PEM: 'line one\nline "two"\n',
      },
      args: ['run', '--name', 'it is $HOME'],
      stopGrace: 120,
      route: { host: 'ci-000a.staging.example.com', port: 3000 },
    },
  },
  registryMirrors: ['https://hub.example.com'],
  timeServers: ['ntp1.example.com', '10.20.0.7'],
  trustedCertificates: ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
};

export const gateway: GatewayMachine = {
  environment: 'staging',
  hostname: 'staging-nat',
  os: os('debian-12'),
  ssh,
  cidr: '10.20.0.0/16',
};

/** The machines that every general statement is checked on. */
export const machines: Readonly<Record<string, WorkerMachine | GatewayMachine>> = {
  worker,
  'worker-bare': bare,
  'worker-private': { ...worker, network: privateOnly },
  'worker-full': full,
  'worker-debian-13': { ...worker, os: os('debian-13') },
  gateway,
  'gateway-tailnet': { ...gateway, tailscale },
};

export function documentOf(machine: WorkerMachine | GatewayMachine): MachineDocument {
  return 'pool' in machine ? workerDocument(machine) : gatewayDocument(machine);
}
