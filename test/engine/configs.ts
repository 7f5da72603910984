/** A configuration as a stack's file has it, without the namespace: plain data, as deep as YAML. */
export type Raw = Record<string, unknown>;

/** What the stack's file is about apart from what a test says itself. */
export interface Place {
  publicKeyFile: string;
  privateKeyFile: string;
  /** A variable's value for a workload, encrypted. */
  workloadSecret: Raw;
}

/** Value of a variable that a workload is given; looked for in everything that is written. */
export const WORKLOAD_SECRET = 'workload-secret-Zq7Rk2Vb9Xm4';

export const ciPool: Raw = {
  size: { min: 3, max: 20 },
  slots: 4,
  image: 'debian-12',
  placements: [
    { serverType: 'cx33', location: 'fsn1' },
    { serverType: 'cpx32', location: 'nbg1' },
  ],
};

export const webPool: Raw = {
  size: { fixed: 1 },
  image: 'ubuntu-24.04',
  placements: [{ serverType: 'cax11', location: 'nbg1' }],
  ingress: [{ port: 443, from: ['0.0.0.0/0', '::/0'] }],
  workload: {
    traefik: true,
    container: { image: 'acme/web:1', route: { host: 'web.example.com', port: 80 } },
  },
};

function runner({ workloadSecret }: Place): Raw {
  return { container: { image: 'acme/runner:1', env: { QUEUE_PASSWORD: workloadSecret } } };
}

/** Workers on a tailnet, reached by nobody else. */
export function tailnetAccess({ publicKeyFile, privateKeyFile }: Place): Raw {
  return {
    connectivity: 'tailscale',
    sshKeys: [publicKeyFile],
    ssh: { port: 2222, privateKeyFile },
    tags: ['tag:worker'],
  };
}

/** Workers reached by SSH from this machine. */
export function directAccess({ publicKeyFile, privateKeyFile }: Place): Raw {
  return {
    connectivity: 'direct',
    sshKeys: [publicKeyFile],
    ssh: { port: 2222, privateKeyFile, from: ['127.0.0.0/8'] },
  };
}

/** The least that is complete: a tailnet and one worker with a public address. */
export function least(place: Place): Raw {
  return {
    access: tailnetAccess(place),
    pools: { ci: { ...ciPool, size: { min: 1, max: 20 } } },
  };
}

/** Two pools on a network, with names in DNS. */
export function complete(place: Place): Raw {
  return {
    access: tailnetAccess(place),
    network: { cidr: '10.20.0.0/16', zone: 'eu-central' },
    service: { url: 'https://workers.example.com' },
    dns: { zone: 'sandbox.example', wildcard: true, workers: true, proxied: true },
    pools: { ci: { ...ciPool, workload: runner(place) }, web: webPool },
  };
}

/** `config` with its pool `name` changed. */
export function withPool(config: Raw, name: string, changes: Raw): Raw {
  const pools = config['pools'] as Record<string, Raw>;
  return { ...config, pools: { ...pools, [name]: { ...pools[name], ...changes } } };
}
