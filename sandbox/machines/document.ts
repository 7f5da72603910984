import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { type UserData, UserDataError } from './user-data';

/** The parts of a cloud-config that a simulated machine acts on. */
export interface MachineDocument {
  hostname: string | undefined;
  /** Path to content, as write_files leaves them. */
  files: Record<string, string>;
  /** One shell line each; run before write_files, on every boot. */
  bootCommands: string[];
  packages: string[];
  /** Whether package lists are fetched, which needs the network even without packages. */
  updatesPackages: boolean;
  /** In the order of cloud-init's final stage: scripts in its script folders, runcmd, scripts of the user data. */
  runCommands: string[];
  /** Authorised public keys by user. */
  authorizedKeys: Record<string, string[]>;
  /** OpenSSH private key that sshd shows. */
  hostKey: string | undefined;
}

const commandSchema = z.union([z.string(), z.array(z.coerce.string())]);
const keysSchema = z.array(z.string()).default([]);
const packageSchema = z.union([z.string(), z.array(z.coerce.string())]);
const userSchema = z.union([
  z.string(),
  z.looseObject({ name: z.string(), ssh_authorized_keys: keysSchema.optional() }),
]);

const configSchema = z.looseObject({
  hostname: z.string().optional(),
  fqdn: z.string().optional(),
  write_files: z
    .array(
      z.looseObject({
        path: z.string(),
        content: z.union([z.string(), z.instanceof(Uint8Array)]).default(''),
        encoding: z.string().default('text/plain'),
        append: z.boolean().default(false),
      }),
    )
    .default([]),
  bootcmd: z.array(commandSchema).default([]),
  runcmd: z.array(commandSchema).default([]),
  packages: z.array(packageSchema).default([]),
  package_update: z.boolean().default(false),
  package_upgrade: z.boolean().default(false),
  ssh_authorized_keys: keysSchema,
  ssh_keys: z.looseObject({ ed25519_private: z.string().optional() }).default({}),
  users: z.array(userSchema).default([]),
});

/**
 * Takes from the user data what a machine acts on; later cloud-configs of a multipart win key by key.
 * @throws UserDataError when a field has a shape that cloud-init's modules refuse
 */
export function readDocument(data: UserData): MachineDocument {
  const merged = Object.assign({}, ...data.configs) as Record<string, unknown>;
  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) throw new UserDataError(`Invalid cloud-config: ${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  const files: Record<string, string> = {};
  for (const file of config.write_files) {
    const content = decodeFile(file.content, file.encoding);
    files[file.path] = file.append ? (files[file.path] ?? '') + content : content;
  }
  const authorizedKeys: Record<string, string[]> = { root: [...config.ssh_authorized_keys] };
  for (const user of config.users)
    if (typeof user !== 'string')
      authorizedKeys[user.name] = [...(authorizedKeys[user.name] ?? []), ...(user.ssh_authorized_keys ?? [])];
  return {
    hostname: (config.hostname ?? config.fqdn)?.split('.')[0],
    files,
    bootCommands: config.bootcmd.map(commandLine),
    packages: config.packages.map((name) => (typeof name === 'string' ? name : (name[0] ?? ''))),
    updatesPackages: config.package_update || config.package_upgrade,
    runCommands: [...folderScripts(files), ...config.runcmd.map(commandLine), ...data.scripts],
    authorizedKeys,
    hostKey: config.ssh_keys.ed25519_private,
  };
}

/** What cloud-init finds in its script folders (modules scripts_per_once, per_boot, per_instance), by file name. */
function folderScripts(files: Record<string, string>): string[] {
  return ['per-once', 'per-boot', 'per-instance'].flatMap((folder) =>
    Object.keys(files)
      .filter((path) => path.startsWith(`/var/lib/cloud/scripts/${folder}/`))
      .sort()
      .map((path) => files[path] ?? ''),
  );
}

/** A list is run without a shell, so its words are quoted when it becomes a line. */
function commandLine(command: string | string[]): string {
  if (typeof command === 'string') return command;
  return command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

function decodeFile(content: string | Uint8Array, encoding: string): string {
  const steps = encoding.toLowerCase().split('+');
  let bytes = Buffer.from(content);
  if (steps.includes('b64') || steps.includes('base64'))
    bytes = Buffer.from(bytes.toString('latin1'), 'base64');
  if (!steps.includes('gz') && !steps.includes('gzip')) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (error) {
    throw new UserDataError(
      `write_files: content with encoding ${encoding} does not unpack: ${String(error)}`,
    );
  }
}
