import assert from 'node:assert/strict';
import { workerLabels } from '../../../components/model/labels';
import type { TailscaleCredentials } from '../../../components/preflight/tailscale-credentials';
import type { HetznerCredentials } from '../../../components/preflight/credentials';
import { startSandbox, type DeepPartial, type Sandbox, type SandboxSettings } from '../../../sandbox/sandbox';
import { ApiMeter } from '../../../automation/observe/api-budget';
import type { HetznerAccess } from '../../../automation/observe/hetzner-caller';

/** A local cloud on a stepped clock for one file of tests, as new before each of them. */
export class ObserverStand {
  private running: Sandbox | undefined;
  meter = new ApiMeter();
  /** Milliseconds that readers waited; a wait moves the cloud's clock instead of sleeping. */
  waits: number[] = [];

  constructor(settings: DeepPartial<SandboxSettings> = {}) {
    before(async () => {
      this.running = await startSandbox({
        ...settings,
        hetzner: { durationFactor: 0, limits: { servers: 200, primaryIps: 200 }, ...settings.hetzner },
        clock: { kind: 'stepped' },
      });
    });
    beforeEach(async () => {
      await this.sandbox.reset();
      this.meter = new ApiMeter();
      this.waits = [];
    });
    after(() => this.running?.close());
  }

  get sandbox(): Sandbox {
    assert.ok(this.running);
    return this.running;
  }

  /** Seconds since 1970, by the cloud's clock. */
  now = (): number => this.sandbox.clock.now() / 1000;

  get hetzner(): HetznerCredentials {
    const { url, token } = this.sandbox.endpoints.hetzner;
    return { url, token };
  }

  get tailscale(): TailscaleCredentials {
    const { url, oauthClientId, oauthClientSecret } = this.sandbox.endpoints.tailscale;
    return { url, tailnet: '-', oauthClientId, oauthClientSecret, apiKey: undefined };
  }

  get access(): HetznerAccess {
    return { meter: this.meter, now: this.now, caller: this.caller };
  }

  readonly caller = {
    wait: async (milliseconds: number): Promise<void> => {
      this.waits.push(milliseconds);
      await this.sandbox.advance(milliseconds / 1000);
    },
    random: () => 0,
  };

  /** Makes a server as the project's owner, by default a worker of the stack `production`; answers its id. */
  async server(
    worker: string,
    { environment = 'production', labels, ...rest }: ServerChoice = {},
  ): Promise<number> {
    const pool = worker.slice(0, worker.lastIndexOf('-'));
    const member = {
      id: worker,
      configHash: 'abc',
      configHashVersion: 1,
      serverType: 'cx23',
      location: 'fsn1',
      launchedAt: new Date(this.sandbox.clock.now()).toISOString(),
    };
    const answer = await this.send('POST', '/servers', {
      name: `${environment}-${worker}`,
      server_type: 'cx23',
      location: 'fsn1',
      image: 'debian-12',
      labels: labels ?? workerLabels(environment, pool, member),
      ...rest,
    });
    return (answer as { server: { id: number } }).server.id;
  }

  async send(method: string, path: string, body?: object): Promise<unknown> {
    const { url, token } = this.hetzner;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'owner',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    assert.ok(response.ok, JSON.stringify(answer));
    return answer;
  }

  /** What the readers asked of a vendor, without the owner's own doings. */
  calls(vendor: 'hetzner' | 'tailscale' = 'hetzner'): string[] {
    return this.sandbox.requests
      .list({ vendor })
      .filter(({ client }) => client !== 'owner')
      .map(({ method, path }) => `${method} ${path.split('?')[0]}`);
  }
}

interface ServerChoice {
  environment?: string;
  labels?: Record<string, string>;
  public_net?: { enable_ipv4: boolean; enable_ipv6: boolean };
  start_after_create?: boolean;
}
