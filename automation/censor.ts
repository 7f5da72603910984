/** What stands where a secret stood. */
export const CENSORED = '[secret]';

/** Shorter ones would blank ordinary words. */
export const SHORTEST_SECRET = 8;

/** Knows this process's secrets and takes them out of whatever is about to be written. */
export interface Censor {
  /** From now on. Values shorter than eight characters are not looked for. */
  add(...secrets: readonly (string | undefined)[]): void;
  /** The text without any known secret: as it is, URL-encoded, JSON-escaped, in hexadecimal or in base64. */
  text(text: string): string;
  /** The same for every string, key and number of a JSON value. */
  json(value: unknown): unknown;
}

export function createCensor(...secrets: readonly (string | undefined)[]): Censor {
  const known = new Set<string>();
  let pattern: RegExp | undefined;

  const add: Censor['add'] = (...values) => {
    for (const value of values) {
      if (value === undefined) continue;
      for (const form of [value, decoded(value)]) if (form.length >= SHORTEST_SECRET) known.add(form);
    }
    const longestFirst = [...known].sort((a, b) => b.length - a.length);
    pattern = known.size === 0 ? undefined : new RegExp(longestFirst.flatMap(forms).join('|'), 'g');
  };
  const text = (value: string): string => (pattern ? value.replace(pattern, CENSORED) : value);
  const json = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number') return text(String(value)) === String(value) ? value : CENSORED;
    if (Array.isArray(value)) return value.map(json);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [text(key), json(inner)]));
  };

  add(...secrets);
  return { add, text, json };
}

/** The user's password of a URL, and the URL itself: what a database's address keeps secret. */
export function secretsOfUrl(url: string): string[] {
  try {
    return [url, new URL(url).password];
  } catch {
    return [url];
  }
}

/** Patterns of all the ways in which a secret may stand in a text. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [[...secret].map(character).join(''), hexadecimal(bytes), ...base64(bytes)];
}

/** One character: itself, after JSON's backslashes, as `\u0041`, or percent-encoded, once or several times over. */
function character(one: string): string {
  const literal = one.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const units = Array.from({ length: one.length }, (_, index) =>
    anyCase(one.charCodeAt(index).toString(16).padStart(4, '0')),
  );
  const percent = [...Buffer.from(one, 'utf8')].map((byte) => `%(?:25)*${anyCase(hex(byte))}`);
  const short = SHORT_ESCAPES[one];
  return `(?:${[
    `\\\\*${literal}`,
    units.map((unit) => `\\\\+u${unit}`).join(''),
    percent.join(''),
    ...(short === undefined ? [] : [`\\\\+${short}`]),
    ...(one === ' ' ? ['\\+'] : []),
  ].join('|')})`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\b': 'b',
  '\f': 'f',
};

function hexadecimal(bytes: Buffer): string {
  return [...bytes].map((byte) => anyCase(hex(byte))).join('');
}

/**
 * Base64 of any text that holds the secret: three alignments, each without the characters that its neighbours share
 * bits with. Both alphabets.
 */
function base64(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const shared = (offset + bytes.length) % 3 === 0 ? 0 : 1;
    return encoded
      .slice(offset === 0 ? 0 : offset + 1, encoded.length - shared)
      .replace(/\+/g, '[+-]')
      .replace(/\//g, '[/_]');
  });
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const anyCase = (text: string): string =>
  text.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
