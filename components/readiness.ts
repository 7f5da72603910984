import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import type { StackConfig } from './model/config-schema';
import type { ConfiguredTailscale } from './preflight/tailscale-credentials';

/** How the machine on which `pulumi up` runs reaches new machines. */
export interface CheckAccess {
  connectivity: StackConfig['access']['connectivity'];
  sshPort: number;
  /** File with the private key; the SSH agent where absent. */
  privateKeyFile: string | undefined;
  tailscale: ConfiguredTailscale;
  /** In direct mode, the machine in between for workers that have no public address. */
  jump: { address: pulumi.Input<string>; hostKey: string } | undefined;
}

export interface ReadinessArgs {
  kind: 'worker' | 'gateway';
  hostname: string;
  /** Address in direct mode; in tailnet mode the device list has it. */
  address: pulumi.Input<string>;
  /** OpenSSH public host key: the first connection is verified already. */
  hostKey: string;
  access: CheckAccess;
  parent: pulumi.Resource;
  dependsOn: pulumi.Resource[];
}

/** What `checks/machine.ts` gets as JSON in its environment. */
export interface MachineCheck {
  kind: 'worker' | 'gateway';
  hostname: string;
  address: string;
  hostKey: string;
  connectivity: 'tailscale' | 'direct';
  sshPort: number;
  privateKeyFile?: string | undefined;
  tailscale: ConfiguredTailscale;
  jump?: { address: string; hostKey: string } | undefined;
}

/**
 * Waits, once, at its creation, until a new machine has said over SSH that its set-up is done. Its progress is in the
 * engine's log. It is never run again: what it looked at cannot change without a new machine.
 */
export function checkReadiness(name: string, args: ReadinessArgs): command.local.Command {
  const { access } = args;
  const check: pulumi.Input<MachineCheck> = pulumi
    .all([args.address, access.jump?.address])
    .apply(([address, jumpAddress]) => ({
      kind: args.kind,
      hostname: args.hostname,
      address,
      hostKey: args.hostKey,
      connectivity: access.connectivity,
      sshPort: access.sshPort,
      privateKeyFile: access.privateKeyFile,
      tailscale: access.tailscale,
      jump: access.jump && { address: jumpAddress ?? '', hostKey: access.jump.hostKey },
    }));
  return runScript(name, 'machine.ts', { create: check }, args.parent, args.dependsOn);
}

export interface TailnetCleanupArgs {
  environment: string;
  pools: string[];
  tags: string[];
  tailscale: ConfiguredTailscale;
}

/**
 * Takes the stack's devices off the tailnet when the stack is destroyed: ephemeral ones would stay in its list for up to
 * two days. Machines depend on it, so that it goes last.
 */
export function tailnetCleanup(
  name: string,
  cleanup: TailnetCleanupArgs,
  parent?: pulumi.Resource,
): command.local.Command {
  return runScript(name, 'tailnet-cleanup.ts', { delete: cleanup }, parent, []);
}

/**
 * Runs a script of `checks/` with its question as JSON in a secret environment variable. Nothing of this machine goes
 * into the state, because the next run may be on another: the script is found from the project's folder, in which the
 * engine runs (or from WORKER_POOLS_ROOT), and credentials that the configuration does not hold are read when it runs.
 */
function runScript(
  name: string,
  script: string,
  question: { create: pulumi.Input<object> } | { delete: pulumi.Input<object> },
  parent: pulumi.Resource | undefined,
  dependsOn: pulumi.Resource[],
): command.local.Command {
  const when = 'create' in question ? 'create' : 'delete';
  const value = 'create' in question ? question.create : question.delete;
  return new command.local.Command(
    name,
    {
      [when]: `cd "\${WORKER_POOLS_ROOT:-.}" && node --require tsx/cjs components/checks/${script}`,
      environment: {
        WORKER_POOLS_QUESTION: pulumi.secret(pulumi.output(value).apply((plain) => JSON.stringify(plain))),
      },
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    {
      ...(parent ? { parent } : {}),
      dependsOn,
      // Another machine is another question.
      replaceWith: dependsOn,
      ...(when === 'create' ? { ignoreChanges: ['create', 'environment'] } : {}),
      customTimeouts: { create: '30m' },
    },
  );
}
