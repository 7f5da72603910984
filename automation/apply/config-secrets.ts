import { parse } from 'yaml';
import { z } from 'zod';

const fileSchema = z
  .looseObject({ config: z.record(z.string(), z.unknown()).nullish() })
  .nullable()
  .transform((file) => file?.config ?? {});

/**
 * The decrypted values of everything that a stack's file has encrypted, at any depth.
 * @param text the file's
 * @param config the configuration, decrypted, by full key
 */
export function secretsIn(text: string, config: ReadonlyMap<string, string>): string[] {
  return Object.entries(fileSchema.parse(parse(text))).flatMap(([key, written]) => {
    const value = config.get(key);
    if (value === undefined) return [];
    return isEncrypted(written) ? [value] : within(written, parsed(value));
  });
}

function within(written: unknown, value: unknown): string[] {
  if (isEncrypted(written)) return typeof value === 'string' ? [value] : [];
  if (typeof written !== 'object' || written === null) return [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(written).flatMap(([key, inner]) =>
    within(inner, (value as Record<string, unknown>)[key]),
  );
}

function isEncrypted(written: unknown): boolean {
  return z.strictObject({ secure: z.string() }).safeParse(written).success;
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
