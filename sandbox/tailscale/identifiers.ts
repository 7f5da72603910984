import type { Random } from '../kernel/random';

const HEX = '0123456789abcdef';

/** An id in the vendor's form, e.g. `kMsj6W6aQx11CNTRL`: `k` for keys and clients, `n` for nodes. */
export function vendorId(random: Random, prefix: 'k' | 'n', taken: (id: string) => boolean): string {
  return unused(() => `${prefix}${random.text(11)}CNTRL`, taken);
}

/** A credential in the vendor's form: its kind, the id of what it stands for, and the secret part. */
export function credential(random: Random, kind: 'auth' | 'api' | 'client', id: string): string {
  return `tskey-${kind}-${id}-${random.text(32)}`;
}

export const hex = (random: Random, length: number): string => random.text(length, HEX);

/** A number as text, as the older device ids are. */
export function numericId(random: Random, taken: (id: string) => boolean): string {
  return unused(() => `${random.text(1, '123456789')}${random.text(15, '0123456789')}`, taken);
}

/** Draws again while the drawn value is in use: a restored snapshot may hold what this seed draws. */
export function unused(draw: () => string, taken: (value: string) => boolean): string {
  for (;;) {
    const value = draw();
    if (!taken(value)) return value;
  }
}
