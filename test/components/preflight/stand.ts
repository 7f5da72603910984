import assert from 'node:assert/strict';
import { ConfigError } from '../../../components/model/errors';
import { preflight, type Preflight, type PlanQuestion } from '../../../components/preflight';
import type { Credentials } from '../../../components/preflight/credentials';
import { startSandbox, type DeepPartial, type Sandbox, type SandboxSettings } from '../../../sandbox/sandbox';
import { SECRET, parsed, type Raw } from '../configs';

/** A local cloud for one file of tests, as new before each of them. */
export class Stand {
  private running: Sandbox | undefined;

  constructor(settings: DeepPartial<SandboxSettings> = {}) {
    before(async () => {
      this.running = await startSandbox({ ...settings, clock: { kind: 'stepped' } });
    });
    beforeEach(() => this.cloud.reset());
    after(() => this.running?.close());
  }

  get cloud(): Sandbox {
    assert.ok(this.running);
    return this.running;
  }

  get credentials(): Credentials {
    const { hetzner, tailscale, cloudflare } = this.cloud.endpoints;
    return {
      hetzner: { url: hetzner.url, token: hetzner.token },
      tailscale: {
        url: tailscale.url,
        tailnet: '-',
        oauthClientId: tailscale.oauthClientId,
        oauthClientSecret: tailscale.oauthClientSecret,
        apiKey: undefined,
      },
      cloudflare: { url: cloudflare.url, token: cloudflare.token },
    };
  }

  question(raw: Raw, changes: Partial<PlanQuestion> = {}): PlanQuestion {
    return {
      environment: 'production',
      config: parsed(raw),
      credentials: this.credentials,
      directory: __dirname,
      now: this.cloud.clock.now(),
      knownPools: ['ci'],
      ...changes,
    };
  }

  ask(raw: Raw, changes: Partial<PlanQuestion> = {}): Promise<Preflight> {
    return preflight(this.question(raw, changes));
  }

  /** What a person is told, one line for each fault. No secret may be in it. */
  async faults(raw: Raw, changes: Partial<PlanQuestion> = {}): Promise<string[]> {
    const question = this.question(raw, changes);
    return faultsIn(preflight(question), question.credentials);
  }

  /** Sends one request as the project's owner, e.g. to make what a stack is to find. */
  async hetzner(method: 'POST' | 'GET', path: string, body?: object): Promise<unknown> {
    const { url, token } = this.cloud.endpoints.hetzner;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    assert.ok(response.ok, JSON.stringify(answer));
    return answer;
  }

  /** Calls that may change something: everything but reads and the exchange for an access token. */
  writes(): string[] {
    return this.cloud.requests
      .list()
      .filter(({ method, path }) => method !== 'GET' && path !== '/api/v2/oauth/token')
      .map(({ method, path }) => `${method} ${path}`);
  }
}

/** The faults that a check ends with; none when it ends well. Any other error fails the test. */
export async function faultsIn(check: Promise<unknown>, credentials: Credentials): Promise<string[]> {
  const [result] = await Promise.allSettled([check]);
  if (result.status === 'fulfilled') return [];
  const error: unknown = result.reason;
  assert.ok(error instanceof ConfigError, String(error));
  for (const secret of secretsOf(credentials)) assert.ok(!error.message.includes(secret), error.message);
  return error.faults.map(({ path, message }) => `${path}: ${message}`);
}

function secretsOf({ hetzner, tailscale, cloudflare }: Credentials): string[] {
  const all = [SECRET, hetzner.token, tailscale.oauthClientSecret, tailscale.apiKey, cloudflare.token];
  return all.filter((secret) => secret !== undefined);
}
