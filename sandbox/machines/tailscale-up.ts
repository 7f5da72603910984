/** What `tailscale up` was asked for. */
export interface TailscaleUp {
  authKey: string | undefined;
  hostname: string;
  advertiseTags: string[];
  /** `--ssh`: port 22 of the tailnet address is served too. */
  ssh: boolean;
  /** Seconds until it gives up waiting for a login; undefined = waits for ever. */
  timeoutSeconds: number | undefined;
}

export class TailscaleUpError extends Error {
  override name = 'TailscaleUpError';
}

/**
 * Reads the flags of `tailscale up`; `--flag=value` and `--flag value` both count.
 * @throws TailscaleUpError when the key's file is not there
 */
export function readTailscaleUp(
  args: string[],
  files: Record<string, string>,
  hostname: string,
): TailscaleUp {
  const flag = (name: string): string | undefined => {
    for (const [index, arg] of args.entries()) {
      const bare = arg.replace(/^--?/, '');
      if (bare.startsWith(`${name}=`)) return bare.slice(name.length + 1);
      if (bare === name && arg !== bare) return args[index + 1] ?? '';
    }
    return undefined;
  };
  const given = flag('auth-key') ?? flag('authkey');
  const tags = flag('advertise-tags') ?? '';
  const ssh = args.some((arg) => /^--?ssh(=true)?$/.test(arg));
  return {
    authKey: given === undefined ? undefined : readKey(given, files),
    hostname: flag('hostname') || hostname,
    advertiseTags: tags === '' ? [] : tags.split(','),
    ssh,
    timeoutSeconds: seconds(flag('timeout')),
  };
}

function readKey(given: string, files: Record<string, string>): string {
  if (given.startsWith('file:')) {
    const path = given.slice('file:'.length);
    const content = files[path];
    if (content === undefined) throw new TailscaleUpError(`open ${path}: no such file or directory`);
    return content.trim();
  }
  if (given.startsWith('tskey-')) return given;
  // A substitution that the simulation does not follow: the only key on the machine is the one meant.
  const text = Object.values(files).join('\n');
  return /tskey-[A-Za-z0-9-]+/.exec(text)?.[0] ?? given;
}

function seconds(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const factor = { h: 3600, m: 60, s: 1 };
  const total = [...duration.matchAll(/([\d.]+)(h|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * factor[unit as keyof typeof factor],
    0,
  );
  return total > 0 ? total : undefined;
}
