import * as pulumi from '@pulumi/pulumi';
import { CONFIG_NAMESPACE } from './model/schema-faults';

/**
 * Everything that the stack's file says under `worker-pools:`, decrypted, by key without the namespace.
 * @param all the stack's configuration by full key; the running program's own where absent
 */
export function readConfigValues(
  all: Readonly<Record<string, string>> = pulumi.runtime.allConfig(),
): Record<string, unknown> {
  const prefix = `${CONFIG_NAMESPACE}:`;
  return Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), parse(text)]),
  );
}

/** The engine hands objects over as JSON and strings as they are. */
function parse(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
