/** A worker's id (`ci-000a`), or a longer name that may end in one (`production-ci-000a`). */
const NAME = /[a-z][a-z0-9]*(?:-[a-z0-9]+)+/g;
/** A worker's serial has at least four digits. */
const SERIAL = /^[a-z0-9]{4,}$/;
/** More than a fleet has; a text that is longer than that is no list of workers. */
const LIMIT = 2000;

/** Everything in a text that may be a worker's id, each once: what the audit trail is searched by. */
export function mentions(text: string): string[] {
  const found = new Set<string>();
  for (const [name] of text.matchAll(NAME)) {
    const parts = name.split('-');
    if (!SERIAL.test(parts.at(-1) ?? '')) continue;
    for (let start = 0; start < parts.length - 1; start += 1) {
      if (found.size === LIMIT) return [...found];
      found.add(parts.slice(start).join('-'));
    }
  }
  return [...found];
}
