import { type ApiError, invalidField } from './errors';
import type { Labels } from './state';

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const DNS_LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const RESERVED_PREFIX = 'hetzner.cloud';

/** Whether `key` is `name` or `prefix/name` as the vendor takes it; its own prefix is not for customers. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash === -1) return NAME.test(key);
  const prefix = key.slice(0, slash);
  return (
    prefix.length <= 253 &&
    prefix !== RESERVED_PREFIX &&
    prefix.split('.').every((part) => DNS_LABEL.test(part)) &&
    NAME.test(key.slice(slash + 1))
  );
}

export const isLabelValue = (value: string): boolean => value === '' || NAME.test(value);

/** @throws ApiError invalid_input that names the faulty key or value */
export function checkLabels(labels: Labels): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!isLabelKey(key)) throw invalidField('labels', `label key '${key}' is not correctly formatted`);
    if (!isLabelValue(value)) {
      throw invalidField('labels', `label value '${value}' (key: '${key}') is not correctly formatted`);
    }
  }
}

export type Requirement =
  { kind: 'exists' | 'absent'; key: string } | { kind: 'in' | 'notin'; key: string; values: string[] };

const SET = /^(\S+?)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALITY = /^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$/;

/**
 * Reads a label selector: `k=v`, `k==v`, `k!=v`, `k`, `!k`, `k in (a,b)`, `k notin (a,b)`, joined by commas.
 * @throws ApiError invalid_input for anything else
 */
export function parseSelector(selector: string): Requirement[] {
  return splitAtCommas(selector).map(parseRequirement);
}

/** Whether labels satisfy every requirement. As with Kubernetes, `!=` and `notin` also match a missing key. */
export function matches(requirements: Requirement[], labels: Labels): boolean {
  return requirements.every((requirement) => {
    const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    switch (requirement.kind) {
      case 'exists':
        return value !== undefined;
      case 'absent':
        return value === undefined;
      case 'in':
        return value !== undefined && requirement.values.includes(value);
      case 'notin':
        return value === undefined || !requirement.values.includes(value);
    }
  });
}

function parseRequirement(text: string): Requirement {
  const term = text.trim();
  const set = SET.exec(term);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return checked({ kind: operator === 'in' ? 'in' : 'notin', key, values }, term);
  }
  const equality = EQUALITY.exec(term);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    return checked({ kind: operator === '!=' ? 'notin' : 'in', key, values: [value] }, term);
  }
  if (term.startsWith('!')) return checked({ kind: 'absent', key: term.slice(1).trim() }, term);
  return checked({ kind: 'exists', key: term }, term);
}

function checked(requirement: Requirement, term: string): Requirement {
  const values = 'values' in requirement ? requirement.values : [];
  // A selector may ask for the reserved prefix, a label may not be set with it.
  const key = requirement.key.replace(new RegExp(`^${RESERVED_PREFIX}/`), '');
  if (!isLabelKey(key) || !values.every(isLabelValue)) throw badSelector(term);
  return requirement;
}

function splitAtCommas(selector: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [index, character] of [...selector].entries()) {
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      terms.push(selector.slice(start, index));
      start = index + 1;
    }
    if (depth < 0 || depth > 1) throw badSelector(selector);
  }
  if (depth !== 0) throw badSelector(selector);
  return [...terms, selector.slice(start)];
}

function badSelector(term: string): ApiError {
  return invalidField('label_selector', `label selector '${term}' is not correctly formatted`);
}
