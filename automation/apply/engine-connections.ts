import { runtime } from '@pulumi/pulumi';
import type { PulumiFn } from '@pulumi/pulumi/automation';

/** A program with a way to end what connects it to the engine. */
export interface ConnectedProgram {
  readonly run: PulumiFn;
  /** To be called when the engine has ended. */
  close(): void;
}

/**
 * The SDK (3.248, `runtime/settings.ts`) closes only the connections of a program that has a process to itself; those of
 * an inline one stay open, and each holds the timers that hold all the resources of its update: some 400 KiB with a few
 * workers, for as long as the process lives.
 */
export function withConnections(program: PulumiFn): ConnectedProgram {
  const connections: ({ close(): void } | undefined)[] = [];
  return {
    run: () => {
      connections.push(connectionOf(runtime.getMonitor()), connectionOf(runtime.getEngine()));
      return program();
    },
    close: () => {
      for (const connection of connections.splice(0)) connection?.close();
    },
  };
}

/** The SDK's types of its clients leave out that they are gRPC's. */
function connectionOf(client: object | undefined): { close(): void } | undefined {
  return client && 'close' in client ? (client as { close(): void }) : undefined;
}
