import { z } from 'zod';
import type { Kernel } from '../kernel/vendor';
import { checkConflicts } from './conflicts';
import { checkProxied, isProxiable, readContent } from './content';
import { failure, validationError } from './errors';
import { qualifyName } from './names';
import type { PlanLimits } from './settings';
import type { DnsRecord, Store, Zone } from './state';

const id = z.string();
const fields = z.object({
  name: z.string().min(1),
  type: z.string(),
  content: z.string().optional(),
  ttl: z.number().optional(),
  proxied: z.boolean().optional(),
  comment: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  settings: z.record(z.string(), z.unknown()).nullish(),
  priority: z.number().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

/** Bodies of POST and PUT, of PATCH, and of the batch. */
export const recordSchema = fields;
export const recordPatchSchema = fields.partial();
export const batchSchema = z.object({
  deletes: z.array(z.object({ id })).nullish(),
  patches: z.array(fields.partial().extend({ id })).nullish(),
  puts: z.array(fields.extend({ id })).nullish(),
  posts: z.array(fields).nullish(),
});

type Draft = z.infer<typeof fields>;
type Patch = z.infer<typeof recordPatchSchema>;

/** The DNS records of the zones. Every change is one transaction: it happens whole or, with an error, not at all. */
export class Records {
  constructor(
    private readonly kernel: Kernel,
    private readonly store: Store,
    private readonly limits: PlanLimits,
  ) {}

  list(zone: Zone): DnsRecord[] {
    return this.store.state.records[zone.id] ?? [];
  }

  /** @throws CloudflareError 404, code 81044 */
  get(zone: Zone, recordId: string): DnsRecord {
    return find(this.list(zone), recordId);
  }

  create(zone: Zone, draft: Draft): DnsRecord {
    return this.change(zone, (records) => this.post(zone, records, draft));
  }

  replace(zone: Zone, recordId: string, draft: Draft): DnsRecord {
    return this.change(zone, (records) => this.put(zone, records, recordId, draft));
  }

  patch(zone: Zone, recordId: string, patch: Patch): DnsRecord {
    return this.change(zone, (records) => this.merge(zone, records, recordId, patch));
  }

  delete(zone: Zone, recordId: string): DnsRecord {
    return this.change(zone, (records) => remove(records, recordId));
  }

  /** Deletes, patches, puts and posts, in this order whatever the body's. */
  batch(zone: Zone, batch: z.infer<typeof batchSchema>): Record<string, DnsRecord[]> {
    const { deletes, patches, puts, posts } = batch;
    const count = [deletes, patches, puts, posts].reduce((sum, part) => sum + (part?.length ?? 0), 0);
    if (count > this.limits.batchOperations) {
      throw validationError(
        1004,
        `A batch may hold ${this.limits.batchOperations} operations, not ${count}.`,
      );
    }
    return this.change(zone, (records) => ({
      deletes: (deletes ?? []).map((item) => remove(records, item.id)),
      patches: (patches ?? []).map((item) => this.merge(zone, records, item.id, item)),
      puts: (puts ?? []).map((item) => this.put(zone, records, item.id, item)),
      posts: (posts ?? []).map((item) => this.post(zone, records, item)),
    }));
  }

  private change<T>(zone: Zone, work: (records: DnsRecord[]) => T): T {
    const records = [...this.list(zone)];
    const result = work(records);
    this.store.state.records[zone.id] = records;
    return result;
  }

  private post(zone: Zone, records: DnsRecord[], draft: Draft): DnsRecord {
    if (records.length >= this.limits.recordsPerZone) throw failure(400, 81045, 'Record quota exceeded.');
    const record = this.build(zone, draft, undefined);
    checkConflicts(records, record);
    records.push(record);
    return record;
  }

  private put(zone: Zone, records: DnsRecord[], recordId: string, draft: Draft): DnsRecord {
    const old = find(records, recordId);
    const record = this.build(zone, draft, old);
    const others = records.filter((other) => other !== old);
    checkConflicts(others, record);
    records[records.indexOf(old)] = record;
    return record;
  }

  private merge(zone: Zone, records: DnsRecord[], recordId: string, patch: Patch): DnsRecord {
    const { name, type, content, ttl, proxied, comment, tags, settings, priority, data } = find(
      records,
      recordId,
    );
    const old = { name, type, content, ttl, proxied, comment, tags, settings, priority, data };
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    return this.put(zone, records, recordId, { ...old, ...given });
  }

  private build(zone: Zone, draft: Draft, old: DnsRecord | undefined): DnsRecord {
    const name = qualifyName(draft.name, zone.name);
    const said = readContent(draft.type, draft, zone.name);
    if (draft.type === 'CNAME' && said.content === name) {
      throw validationError(9039, 'CNAME content cannot reference itself.');
    }
    const ttl = checkTtl(draft.ttl ?? 1);
    const proxied = draft.proxied ?? false;
    if (proxied) checkProxied(draft.type, said.content);
    const comment = this.checkComment(draft.comment || null);
    const tags = this.checkTags(draft.tags ?? []);
    const now = new Date(this.kernel.clock.now()).toISOString();
    const commentAt = old && old.comment === comment ? old.comment_modified_on : now;
    const tagsAt = old && old.tags.join() === tags.join() ? old.tags_modified_on : now;
    return {
      id: old?.id ?? this.freshId(zone),
      name,
      type: draft.type,
      ...said,
      ttl: proxied ? 1 : ttl,
      proxied,
      comment,
      tags,
      settings: draft.settings ?? {},
      created_on: old?.created_on ?? now,
      modified_on: now,
      ...(comment !== null && commentAt !== undefined && { comment_modified_on: commentAt }),
      ...(tags.length > 0 && tagsAt !== undefined && { tags_modified_on: tagsAt }),
    };
  }

  private checkComment(comment: string | null): string | null {
    const { commentLength } = this.limits;
    if (comment !== null && comment.length > commentLength) {
      throw failure(
        400,
        9313,
        `DNS record comment exceeds the maximum length of ${commentLength} characters.`,
      );
    }
    return comment;
  }

  private checkTags(tags: string[]): string[] {
    const quota = this.limits.tagsPerRecord;
    if (tags.length > quota) {
      throw failure(400, 9300, `DNS record has ${tags.length} tags, exceeding the quota of ${quota}.`);
    }
    return tags;
  }

  private freshId(zone: Zone): string {
    for (;;) {
      const candidate = this.kernel.random.text(32, '0123456789abcdef');
      if (!this.list(zone).some((record) => record.id === candidate)) return candidate;
    }
  }
}

/** A record as the API shows it. */
export function viewRecord(record: DnsRecord): object {
  return { ...record, proxiable: isProxiable(record.type, record.content), meta: {} };
}

function find(records: DnsRecord[], recordId: string): DnsRecord {
  const record = records.find((candidate) => candidate.id === recordId);
  if (!record) throw failure(404, 81044, 'Record does not exist.');
  return record;
}

function remove(records: DnsRecord[], recordId: string): DnsRecord {
  const record = find(records, recordId);
  records.splice(records.indexOf(record), 1);
  return record;
}

function checkTtl(ttl: number): number {
  const valid = ttl === 1 || (Number.isInteger(ttl) && ttl >= 60 && ttl <= 86_400);
  if (valid) return ttl;
  throw validationError(9021, 'TTL must be between 60 and 86400 seconds, or 1 for Automatic.');
}
