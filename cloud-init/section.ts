/** A file that cloud-init writes before any package step; owned by root. */
export interface WriteFile {
  path: string;
  /** Octal; cloud-init's own default, 0644, when left out. */
  permissions?: '0600' | '0700' | '0755';
  content: string;
  /** Set by `file` when the content is no plain text. */
  encoding?: 'b64';
}

/** The keys of cloud-config that the documents use. All are valid and undeprecated in cloud-init 22.4 to 25.x. */
export interface CloudConfig {
  hostname?: string;
  manage_etc_hosts?: 'localhost';
  disable_root?: boolean;
  ssh_keys?: { ed25519_private: string };
  ssh_authorized_keys?: string[];
  ca_certs?: { trusted: string[] };
  bootcmd?: string[];
  write_files?: WriteFile[];
}

/** What one concern adds to a machine's document. */
export interface Section {
  name: string;
  /** Top-level keys that belong to this concern alone. */
  settings?: Omit<CloudConfig, 'bootcmd' | 'write_files'>;
  /** Shell run early on every boot, before files are written. */
  bootcmd?: string;
  files?: WriteFile[];
  /** Packages that the step needs. */
  packages?: string[];
  /** A signed package repository. */
  repository?: Repository;
  /**
   * Shell run once, late in the first boot, with `errexit`. The first step that fails stops the later ones, and
   * `cloud-init status --long` names it.
   */
  step?: string;
}

/** A package repository that keeps its signing key beside itself, as `<url>/<suite>.noarmor.gpg`. */
export interface Repository {
  name: string;
  url: string;
  suite: string;
}

/** Where the machine's own programs live. */
export const programs = '/usr/local/lib/worker-pools';
/** Where its settings live; secrets in it are 0600. */
export const settings = '/etc/worker-pools';

const plainText = /^[\t\n\x20-\x7e]*$/;

/** A file to write. Content that YAML readers could alter (control characters, other alphabets) travels as base64. */
export function file(path: string, content: string, permissions?: WriteFile['permissions']): WriteFile {
  const target = { path, ...(permissions && { permissions }) };
  return plainText.test(content)
    ? { ...target, content }
    : { ...target, content: Buffer.from(content).toString('base64'), encoding: 'b64' };
}

/** A word for the shell that stands for exactly `value`. */
export function quote(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
