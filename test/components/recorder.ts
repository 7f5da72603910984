import * as pulumi from '@pulumi/pulumi';

/** A resource as the program declared it; secret values are wrapped in `Secret`. */
export interface Registration {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** Marks a value that the engine would encrypt. */
export class Secret {
  constructor(readonly value: unknown) {}
}

/** Stands in for the engine: answers like the providers, and remembers what was declared. */
export class Recorder implements pulumi.runtime.Mocks {
  registered: Registration[] = [];
  private lastId = 100;

  /** @param outputs what the stack's last update recorded */
  constructor(private readonly outputs: Record<string, unknown> = {}) {}

  async install(environment: string, config: Record<string, unknown>, preview = false): Promise<void> {
    await pulumi.runtime.setMocks(this, 'worker-pools', environment, preview, 'acme');
    pulumi.runtime.setAllConfig(
      Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
          key,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      ),
    );
  }

  newResource({ type, name, inputs }: pulumi.runtime.MockResourceArgs): {
    id: string;
    state: Record<string, unknown>;
  } {
    const plain = inputs as Record<string, unknown>;
    if (type === 'pulumi:pulumi:StackReference') {
      return { id: name, state: { ...plain, outputs: this.outputs, secretOutputNames: [] } };
    }
    this.registered.push({ type, name, inputs: unwrapped(plain) as Record<string, unknown> });
    this.lastId += 1;
    return { id: String(this.lastId), state: { ...plain, ...answers(type, name, plain) } };
  }

  call(): Record<string, unknown> {
    return {};
  }

  /** The inputs of the one resource of this type and name. */
  inputsOf(type: string, name: string): Record<string, unknown> {
    const found = this.registered.filter((candidate) => candidate.type === type && candidate.name === name);
    if (found.length !== 1) throw new Error(`${found.length} resources ${type} ${name}`);
    return found[0]!.inputs;
  }

  /** All resources, as `type name`, sorted. */
  get list(): string[] {
    return this.registered.map(({ type, name }) => `${type} ${name}`).sort();
  }
}

function answers(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  switch (type) {
    case 'hcloud:index/server:Server':
      return {
        ipv4Address: has(inputs, 'ipv4Enabled') ? `ipv4 of ${name}` : '',
        ipv6Address: has(inputs, 'ipv6Enabled') ? `ipv6 of ${name}` : '',
        networks: [{ networkId: 1, ip: `private ip of ${name}` }],
      };
    case 'tailscale:index/tailnetKey:TailnetKey':
      return { key: `tskey of ${name}` };
    default:
      return {};
  }
}

/** The engine's form of a secret (an object with a signature and the value) as `Secret`. */
function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== 'object' || value === null) return value;
  if (pulumi.runtime.isRpcSecret(value)) return new Secret(unwrapped(pulumi.runtime.unwrapRpcSecret(value)));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
}

function has(inputs: Record<string, unknown>, family: 'ipv4Enabled' | 'ipv6Enabled'): boolean {
  const [publicNet] = inputs['publicNets'] as Record<string, boolean>[];
  return publicNet?.[family] === true;
}
