import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { z } from 'zod';

/** What the user data of a server comes to: cloud-config mappings and scripts, in order. */
export interface UserData {
  configs: Record<string, unknown>[];
  /** Shell scripts (`#!`), run last in the final stage. */
  scripts: string[];
}

/** User data that cloud-init can do nothing with. */
export class UserDataError extends Error {
  override name = 'UserDataError';
}

/**
 * Reads user data as cloud-init's Hetzner source does: base64-decoded if decodable, gunzipped if gzipped, then a
 * `#cloud-config` mapping, a `#!` script, or a MIME multipart of these.
 * @throws UserDataError
 */
export function readUserData(raw: string | undefined): UserData {
  if (raw === undefined || raw.trim() === '') return { configs: [], scripts: [] };
  return readPart(unpack(raw));
}

function unpack(raw: string): string {
  // As Python's b64decode(validate=True): any other character, even a line break, means "not base64".
  const isBase64 = raw.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(raw);
  const bytes = Buffer.from(raw, isBase64 ? 'base64' : 'utf8');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (error) {
    throw new UserDataError(`user data looks gzipped but does not unpack: ${String(error)}`);
  }
}

function readPart(text: string): UserData {
  if (text.startsWith('#!')) return { configs: [], scripts: [text] };
  if (/^(content-type:\s*multipart|mime-version:)/i.test(text)) return readMultipart(text);
  if (text.startsWith('#cloud-config')) return { configs: [readConfig(text)], scripts: [] };
  const start = JSON.stringify(text.slice(0, 40));
  throw new UserDataError(`Unhandled non-multipart (text/x-not-multipart) userdata: ${start}`);
}

function readConfig(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new UserDataError(`Failed loading yaml blob. ${(error as Error).message}`);
  }
  if (value === null) return {};
  const mapping = z.record(z.string(), z.unknown()).safeParse(value);
  if (!mapping.success)
    throw new UserDataError('Failed loading yaml blob. Yaml load allows (dict) root types, but got another');
  return mapping.data;
}

function readMultipart(text: string): UserData {
  const boundary = /boundary="?([^"\s;]+)"?/i.exec(text)?.[1];
  if (boundary === undefined) throw new UserDataError('multipart user data names no boundary');
  const read: UserData = { configs: [], scripts: [] };
  for (const section of text.split(`--${boundary}`).slice(1)) {
    if (section.startsWith('--')) break;
    const [headers = '', ...body] = section.replace(/^\r?\n/, '').split(/\r?\n\r?\n/);
    const content = body.join('\n\n').replace(/\r?\n$/, '');
    const encoded = /content-transfer-encoding:\s*base64/i.test(headers);
    const plain = encoded ? Buffer.from(content, 'base64').toString('utf8') : content;
    // The type names what a part is even where its first line does not.
    const part = /content-type:\s*text\/cloud-config/i.test(headers)
      ? { configs: [readConfig(plain)], scripts: [] }
      : readPart(plain);
    read.configs.push(...part.configs);
    read.scripts.push(...part.scripts);
  }
  return read;
}
