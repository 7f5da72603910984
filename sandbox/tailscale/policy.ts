import { createHash } from 'node:crypto';
import { z } from 'zod';
import { badRequest, TailscaleError } from './errors';
import { parseHuJson } from './hujson';
import type { TailscaleSettings } from './settings';
import type { PolicyFile, Store } from './state';
import type { Tailnet } from './tailnet';

// Sections of the policy file, https://tailscale.com/kb/1337/policy-syntax; the vendor takes either case.
const SECTIONS = [
  'acls',
  'attrConfig',
  'autoApprovers',
  'defaultSrcPosture',
  'derpMap',
  'disableIPv4',
  'extraDNSRecords',
  'grants',
  'groups',
  'hosts',
  'ipsets',
  'nodeAttrs',
  'oneCGNATRoute',
  'postures',
  'randomizeClientPort',
  'ssh',
  'sshTests',
  'tagOwners',
  'tests',
].map((section) => section.toLowerCase());

const document = z.record(z.string(), z.unknown());
const owners = z.record(
  z.string(),
  z
    .array(z.string())
    .nullable()
    .transform((list) => list ?? []),
);

/** The policy file of the tailnet, and what it says about tags. */
export class Policy {
  constructor(
    private readonly store: Store,
    private readonly tailnet: Tailnet,
  ) {}

  get hujson(): string {
    return this.store.state.policy.hujson;
  }

  get json(): unknown {
    return parsePolicy(this.hujson);
  }

  /** As the vendor sends it: in quotes. */
  get etag(): string {
    return `"${createHash('sha256').update(this.hujson).digest('hex')}"`;
  }

  /**
   * Replaces the policy file.
   * @throws TailscaleError 412 when `ifMatch` names another version, 400 when the text is not a policy
   */
  async set(hujson: string, ifMatch: string | undefined): Promise<void> {
    if (ifMatch !== undefined && !this.matches(ifMatch.replace(/^"|"$/g, ''))) {
      throw new TailscaleError(412, 'precondition failed, invalid old hash');
    }
    checkPolicy(hujson);
    await this.tailnet.applyPolicy(parsePolicy(hujson));
    this.store.state.policy = { hujson, isDefault: false };
  }

  isTag(tag: string): boolean {
    return tag in this.tagOwners();
  }

  /**
   * Whether an OAuth client may give a device these tags: all of its own at once, or ones that its tags own.
   * A subset of several own tags is refused (tailscale/tailscale issue 15456) unless a tag owns itself.
   */
  permits(clientTags: string[], requested: string[]): boolean {
    const tagOwners = this.tagOwners();
    const defined = requested.every((tag) => tag in tagOwners);
    const whole =
      new Set(requested).size === new Set(clientTags).size &&
      requested.every((tag) => clientTags.includes(tag));
    const owned = requested.every((tag) => tagOwners[tag]?.some((owner) => clientTags.includes(owner)));
    return defined && (whole || owned);
  }

  private tagOwners(): Record<string, string[]> {
    return readTagOwners(parsePolicy(this.hujson));
  }

  private matches(etag: string): boolean {
    return etag === 'ts-default' ? this.store.state.policy.isDefault : `"${etag}"` === this.etag;
  }
}

/** The policy file of a fresh tailnet: everybody reaches everything, tags as the settings have them. */
export function initialPolicy(settings: TailscaleSettings): PolicyFile {
  const { tagOwners } = settings;
  const acls = [{ action: 'accept', src: ['*'], dst: ['*:*'] }];
  const written = `// The local tailnet's first policy file.\n${JSON.stringify({ tagOwners, acls }, null, 2)}\n`;
  const hujson = settings.policy ?? written;
  checkPolicy(hujson);
  return { hujson, isDefault: true };
}

/** @throws TailscaleError 400 with what is wrong in the policy */
export function checkPolicy(hujson: string): void {
  const policy = parsePolicy(hujson);
  for (const section of Object.keys(policy)) {
    if (!SECTIONS.includes(section.toLowerCase())) throw badRequest(`json: unknown field "${section}"`);
  }
  const defined = readTagOwners(policy);
  for (const tag of Object.keys(defined)) {
    if (!/^tag:[a-zA-Z][a-zA-Z0-9-]*$/.test(tag)) throw badRequest(`invalid tag name in tagOwners: "${tag}"`);
  }
  const used = JSON.stringify(policy).match(/(?<=")tag:[a-zA-Z0-9-]+/g) ?? [];
  const missing = used.find((tag) => !(tag in defined));
  if (missing) throw badRequest(`tag not found: "${missing}"`);
}

/** @throws TailscaleError 400 when the text is not a JSON object with comments */
export function parsePolicy(hujson: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseHuJson(hujson);
  } catch (error) {
    throw badRequest(`invalid policy file: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = document.safeParse(value);
  if (!parsed.success) throw badRequest('invalid policy file: not an object');
  return parsed.data;
}

function readTagOwners(policy: Record<string, unknown>): Record<string, string[]> {
  const section = Object.entries(policy).find(([name]) => name.toLowerCase() === 'tagowners')?.[1];
  const parsed = owners.safeParse(section ?? {});
  if (!parsed.success) throw badRequest('invalid policy file: tagOwners must map tags to lists of owners');
  return parsed.data;
}
