import { domainToASCII } from 'node:url';
import { failure } from './errors';

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * A record's name as the API gives it back: fully qualified, lower case, in Punycode. `@` is the zone itself, and
 * a name that does not end in the zone is taken as relative to it.
 * @throws CloudflareError 400, code 9000
 */
export function qualifyName(given: string, zone: string): string {
  const name = lowerAscii(given.trim().replace(/\.$/, ''));
  const inside = name === zone || name.endsWith(`.${zone}`);
  const full = name === '@' ? zone : inside ? name : `${name}.${zone}`;
  const [first = '', ...rest] = full.split('.');
  const labels = first === '*' ? rest : [first, ...rest];
  if (full.length > 253 || !labels.every((label) => LABEL.test(label))) {
    throw failure(400, 9000, 'DNS name is invalid.');
  }
  return full;
}

/** Whether this can be the target of a CNAME, MX, NS or SRV record. */
export function isHostname(name: string): boolean {
  const labels = name.split('.');
  return (
    name.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? '')
  );
}

/** Lower case and Punycode, without a trailing dot. */
export function lowerAscii(name: string): string {
  const bare = name.replace(/\.$/, '');
  // Only what is not ASCII goes through the conversion: it would refuse a wildcard.
  return /^[\x20-\x7e]*$/.test(bare) ? bare.toLowerCase() : domainToASCII(bare);
}
