import { z } from 'zod';
import { EnrolmentRefusedError } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import type { Caller } from './access';
import { badRequest, notFound, tagsNotPermitted } from './errors';
import { vendorId } from './identifiers';
import type { Policy } from './policy';
import type { TailscaleSettings } from './settings';
import type { AuthKey, Store } from './state';
import type { Tailnet } from './tailnet';
import { rfc3339 } from './time';

/** Seconds: 90 days, both what 0 stands for and the most that may be asked. */
const MAX_EXPIRY = 7_776_000;
const VANISH = 'tailscale.key.vanish';

export const createKeySchema = z.object({
  keyType: z.string().optional(),
  description: z.string().nullish(),
  expirySeconds: z.number().int().nullish(),
  capabilities: z.object({
    devices: z.object({
      create: z.object({
        reusable: z.boolean().default(false),
        ephemeral: z.boolean().default(false),
        preauthorized: z.boolean().default(false),
        tags: z.array(z.string()).nullish(),
      }),
    }),
  }),
});

/** Auth keys: made through the API, spent by machines. */
export class AuthKeys {
  constructor(
    private readonly kernel: Kernel,
    private readonly settings: TailscaleSettings,
    private readonly store: Store,
    private readonly policy: Policy,
    private readonly tailnet: Tailnet,
  ) {
    kernel.schedule.on(VANISH, (id) => {
      delete this.store.state.keys[id];
    });
  }

  /**
   * Makes a key; the reply is the only one that holds its secret.
   * @throws TailscaleError 400 for a bad description, expiry or tag set
   */
  async create(caller: Caller, request: z.infer<typeof createKeySchema>): Promise<object> {
    if (request.keyType && request.keyType !== 'auth') {
      throw badRequest(`keyType "${request.keyType}" is not part of the sandbox: only "auth" keys are`);
    }
    const { create } = request.capabilities.devices;
    const tags = create.tags ?? [];
    this.checkTags(caller, tags);
    const { clock, random, schedule } = this.kernel;
    const { keys } = this.store.state;
    const id = vendorId(random, 'k', (candidate) => candidate in keys);
    const asked = {
      id,
      description: checkDescription(request.description ?? ''),
      owner: caller.owner,
      reusable: create.reusable,
      ephemeral: create.ephemeral,
      preauthorized: create.preauthorized,
      tags,
      expirySeconds: checkExpiry(request.expirySeconds ?? 0),
      createdAt: clock.now(),
      used: false,
    };
    const key: AuthKey = { ...asked, secret: await this.tailnet.issueKey(asked) };
    this.store.state.keys[id] = key;
    schedule.at(expiresAt(key) + this.settings.deadKeysReadableFor * 1000, VANISH, id);
    return { ...this.view(key), key: key.secret };
  }

  async get(id: string): Promise<object> {
    await this.noteSpent();
    return this.view(this.find(id));
  }

  /**
   * Ids of the keys that still work, as the vendor lists them: an OAuth client sees the tailnet's keys, an API key
   * its user's, and `all` both.
   */
  async list(caller: Caller, all: boolean): Promise<object> {
    await this.noteSpent();
    const visible = Object.values(this.store.state.keys).filter(
      (key) => this.flaw(key) === undefined && (all || key.owner === caller.owner),
    );
    return { keys: visible.map(({ id }) => ({ id })) };
  }

  /** @throws TailscaleError 404 */
  async delete(id: string): Promise<void> {
    await this.tailnet.revokeKey(this.find(id).secret);
    this.forget(id);
  }

  reset(): void {
    for (const id of Object.keys(this.store.state.keys)) this.forget(id);
  }

  /**
   * Takes a key for one enrolment of a machine that is played.
   * @throws EnrolmentRefusedError when it does not work at this instant, or `advertiseTags` go beyond its tags
   */
  spend(secret: string, advertiseTags: string[]): AuthKey {
    const key = Object.values(this.store.state.keys).find((candidate) => candidate.secret === secret);
    if (!key) {
      throw new EnrolmentRefusedError('invalid key: unable to validate API key (unknown or revoked)');
    }
    const flaw = this.flaw(key);
    if (flaw) throw new EnrolmentRefusedError(`invalid key: API key ${key.id} not valid (${flaw})`);
    const beyond = advertiseTags.filter((tag) => !key.tags.includes(tag));
    if (beyond.length > 0) throw new EnrolmentRefusedError(tagsNotPermitted(beyond));
    if (!key.reusable) this.markUsed(key);
    return key;
  }

  private forget(id: string): void {
    this.kernel.schedule.cancel(id, VANISH);
    delete this.store.state.keys[id];
  }

  /** Machines of a real tailnet spend keys without a word to the API. */
  private async noteSpent(): Promise<void> {
    const spent = new Set(await this.tailnet.spentKeys());
    for (const key of Object.values(this.store.state.keys))
      if (!key.used && spent.has(key.secret)) this.markUsed(key);
  }

  private markUsed(key: AuthKey): void {
    key.used = true;
    this.kernel.schedule.cancel(key.id, VANISH);
    this.kernel.schedule.after(this.settings.deadKeysReadableFor * 1000, VANISH, key.id);
  }

  private checkTags(caller: Caller, tags: string[]): void {
    if (caller.owner === 'tailnet' && tags.length === 0) {
      throw badRequest('tailnet-owned auth key must have tags set');
    }
    const permitted =
      caller.owner === 'user'
        ? tags.every((tag) => this.policy.isTag(tag))
        : this.policy.permits(caller.tags, tags);
    if (!permitted) throw badRequest(tagsNotPermitted(tags));
  }

  /** Why the key does not work now; undefined when it does. */
  private flaw(key: AuthKey): string | undefined {
    if (key.used) return 'already used';
    return expiresAt(key) <= this.kernel.clock.now() ? 'expired' : undefined;
  }

  private find(id: string): AuthKey {
    const key = this.store.state.keys[id];
    if (!key) throw notFound('key');
    return key;
  }

  private view(key: AuthKey): object {
    const { reusable, ephemeral, preauthorized, tags } = key;
    return {
      id: key.id,
      keyType: 'auth',
      description: key.description,
      expirySeconds: key.expirySeconds,
      created: rfc3339(key.createdAt),
      expires: rfc3339(expiresAt(key)),
      invalid: this.flaw(key) !== undefined,
      capabilities: { devices: { create: { reusable, ephemeral, preauthorized, tags } } },
      ...(key.owner === 'user' && { userId: 'uSandboxAdminCNTRL' }),
    };
  }
}

function expiresAt(key: AuthKey): number {
  return key.createdAt + key.expirySeconds * 1000;
}

function checkExpiry(seconds: number): number {
  if (seconds < 0) throw badRequest('expirySeconds must be greater than or equal to 0');
  if (seconds > MAX_EXPIRY) throw badRequest(`expirySeconds must be less than or equal to ${MAX_EXPIRY}`);
  return seconds === 0 ? MAX_EXPIRY : seconds;
}

function checkDescription(description: string): string {
  if (description.length > 50) throw badRequest('description must be at most 50 characters');
  if (!/^[a-zA-Z0-9 -]*$/.test(description)) {
    throw badRequest('description may only contain alphanumeric characters, spaces and hyphens');
  }
  return description;
}
