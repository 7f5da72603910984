import type { GatewayMachine, WorkerMachine } from './machine';

/**
 * The same machine with every secret replaced by a word that says what was there. A document made of it can be
 * shown: nothing was searched for and blanked, the secrets were never in it.
 */
export function withoutSecrets<M extends WorkerMachine | GatewayMachine>(machine: M): M {
  const shown: M = {
    ...machine,
    ssh: { ...machine.ssh, hostKey: { ...machine.ssh.hostKey, privateKey: '[host key]\n' } },
    ...(machine.tailscale && { tailscale: { ...machine.tailscale, authKey: '[tailnet key]' } }),
  };
  if (!('pool' in shown)) return shown;
  const { service, workload } = shown;
  return {
    ...shown,
    ...(service && { service: { ...service, token: '[token]' } }),
    ...(workload && {
      workload: { container: { ...workload.container, env: blank(workload.container.env) } },
    }),
  };
}

function blank(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(env).map((name) => [name, '[value]']));
}
