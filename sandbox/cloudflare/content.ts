import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type CloudflareError, failure, validationError } from './errors';
import { isHostname, lowerAscii } from './names';
import type { DnsRecord } from './state';

/** What a record says, checked and in the form that the API gives back. */
export type Content = Pick<DnsRecord, 'content' | 'priority' | 'data'>;

/** What a request gives to say it: `content` for most types, `data` for CAA and SRV. */
export interface GivenContent {
  content?: string | undefined;
  priority?: number | undefined;
  data?: Record<string, unknown> | undefined;
}

type Reader = (given: GivenContent, zone: string) => Content;

const uint16 = z.number().int().min(0).max(65_535);
const caaData = z.object({
  flags: z.number().int().min(0).max(255),
  tag: z.enum(['issue', 'issuewild', 'iodef']),
  value: z.string().min(1),
});
const srvData = z.object({ priority: uint16, weight: uint16, port: uint16, target: z.string() });

/** The record types of the sandbox, each with how its content is read. */
const READERS: Record<string, Reader> = {
  A: ({ content = '' }) => {
    if (!ipaddr.IPv4.isValidFourPartDecimal(content)) {
      throw failure(400, 9005, 'Content for A record must be a valid IPv4 address.');
    }
    return { content };
  },
  AAAA: ({ content = '' }) => {
    if (!ipaddr.IPv6.isValid(content) || content.includes('%')) {
      throw failure(400, 9006, 'Content for AAAA record must be a valid IPv6 address.');
    }
    return { content: ipaddr.IPv6.parse(content).toRFC5952String() };
  },
  CNAME: (given, zone) => ({
    content: readHostname(given, zone, () => failure(400, 9007, 'Content for CNAME record is invalid.')),
  }),
  NS: (given, zone) => ({ content: readHostname(given, zone, () => notAHostname('NS')) }),
  PTR: (given, zone) => ({ content: readHostname(given, zone, () => notAHostname('PTR')) }),
  MX: (given, zone) => {
    const content = readHostname(given, zone, () => notAHostname('MX'));
    if (given.priority === undefined) throw validationError(9101, 'priority is a required data field.');
    if (!uint16.safeParse(given.priority).success) throw validationError(9101, 'priority is invalid.');
    return { content, priority: given.priority };
  },
  TXT: ({ content = '' }) => {
    if (content === '') throw validationError(1004, 'Content for TXT record must not be empty.');
    if (Buffer.byteLength(content) > 4096) {
      throw validationError(1004, 'Content for TXT record exceeds 4096 bytes.');
    }
    return { content };
  },
  CAA: ({ data }) => {
    const caa = readData(caaData, data);
    return { content: `${caa.flags} ${caa.tag} "${caa.value}"`, data: caa };
  },
  SRV: ({ data }, zone) => {
    const srv = readData(srvData, data);
    const target = readHostname({ content: srv.target }, zone, () => notAHostname('SRV'));
    return {
      content: `${srv.weight} ${srv.port} ${target}`,
      priority: srv.priority,
      data: { ...srv, target },
    };
  },
};

/** @throws CloudflareError 400 with the vendor's code for this type's content */
export function readContent(type: string, given: GivenContent, zone: string): Content {
  const reader = READERS[type];
  if (!reader) {
    const known = Object.keys(READERS).join(', ');
    throw validationError(1004, `DNS record type ${type} is invalid or not part of the sandbox (${known}).`);
  }
  return reader(given, zone);
}

/** Ranges that the vendor does not proxy to. Loopback is allowed here: the sandbox's public addresses are loopback. */
const UNPROXIABLE = [
  'broadcast',
  'carrierGradeNat',
  'linkLocal',
  'multicast',
  'private',
  'uniqueLocal',
  'unspecified',
];

/** Whether a record of this type may be proxied at all, by its type and target. */
export function isProxiable(type: string, content: string): boolean {
  if (type === 'CNAME') return true;
  return (type === 'A' || type === 'AAAA') && !UNPROXIABLE.includes(ipaddr.parse(content).range());
}

/** @throws CloudflareError 400: 9004 for the type, 9003 for the target */
export function checkProxied(type: string, content: string): void {
  if (isProxiable(type, content)) return;
  if (type === 'A' || type === 'AAAA') {
    throw failure(400, 9003, `Target ${content} is not allowed for a proxied record.`);
  }
  throw failure(400, 9004, 'This record type cannot be proxied.');
}

function readHostname({ content = '' }: GivenContent, zone: string, fault: () => CloudflareError): string {
  const target = content === '@' ? zone : lowerAscii(content.trim());
  if (!isHostname(target)) throw fault();
  return target;
}

function notAHostname(type: string): CloudflareError {
  return validationError(1004, `Content for ${type} record must be a hostname.`);
}

function readData<T>(schema: z.ZodType<T>, data: Record<string, unknown> | undefined): T {
  const parsed = schema.safeParse(data ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? 'data';
  const missing = data?.[field] === undefined;
  throw validationError(9101, missing ? `${field} is a required data field.` : `${field} is invalid.`);
}
