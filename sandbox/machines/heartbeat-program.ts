import { z } from 'zod';
import { parseShell } from './shell';

/** Seconds between two beats while the service answers. */
export const BEAT_SECONDS = 10;

/** A heartbeat as a machine's document wrote it: a shell program that posts with curl. */
export interface HeartbeatProgram {
  /** The posts go to `<url>register` and `<url>heartbeat`. */
  url: string;
  headers: Record<string, string>;
  /** Start of every body, as text: an object of the machine's identity that is still open. */
  me: string;
  /** Further fields of the registration, as text; the address is a command that the machine fills in. */
  details: string;
  pool: string;
  slots: number;
}

const identitySchema = z.object({ pool: z.string() });
const detailsSchema = z.object({ slots: z.int().min(1), address: z.string() });

/** The first of the programs that is a heartbeat, with the curl settings that it names; undefined when none is. */
export function findHeartbeat(
  programs: string[],
  files: Record<string, string>,
): HeartbeatProgram | undefined {
  for (const path of programs) {
    const found = readHeartbeat(files[path] ?? '', files);
    if (found) return found;
  }
  return undefined;
}

function readHeartbeat(program: string, files: Record<string, string>): HeartbeatProgram | undefined {
  const curl = /\bcurl [^\n]*-K (\S+) [^\n]* '?(https?:\/\/[^\s']+)'?\$1/.exec(program);
  const commands = parseShell(program).map(({ words }) => words);
  const me = commands.flat().find((word) => word.startsWith('me='));
  const details = commands.find(([name, what]) => name === 'post' && what === 'register')?.[2];
  if (!curl || me === undefined || details === undefined) return undefined;
  const [, settings = '', url = ''] = curl;
  const open = me.slice('me='.length);
  return {
    url,
    headers: headersOf(files[settings] ?? ''),
    me: open,
    details,
    pool: identitySchema.parse(JSON.parse(`${open}}`)).pool,
    slots: detailsSchema.parse(JSON.parse(`{${details}}`)).slots,
  };
}

/** The `header` lines of a curl settings file, whose quotes and backslashes are escaped. */
function headersOf(settings: string): Record<string, string> {
  const lines = [...settings.matchAll(/^header = "((?:[^"\\]|\\.)*)"$/gm)];
  return Object.fromEntries(
    lines.map(([, quoted = '']) => {
      const [name = '', ...value] = quoted.replace(/\\(.)/g, '$1').split(': ');
      return [name.toLowerCase(), value.join(': ')];
    }),
  );
}

/** What the machine knows when it fills in its address. */
export interface Addresses {
  tailnet: string | undefined;
  /** Of its interfaces, in their order. */
  own: string | undefined;
}

/** Body of the registration, to the letter what the program sends. `at` in milliseconds. */
export function registrationBody(program: HeartbeatProgram, at: number, addresses: Addresses): string {
  const address = program.details.includes('$(tailscale ip') ? addresses.tailnet : addresses.own;
  return `${program.me},"at":${seconds(at)},${program.details.replace(/\$\(.*\)/, () => address ?? '')}}`;
}

/** Body of a beat, to the letter what the program sends; a job is as old as its file's whole seconds say. */
export function beatBody(program: HeartbeatProgram, at: number, jobsSince: number[]): string {
  const ages = jobsSince.map((since) => Math.max(0, Math.floor(at / 1000) - Math.floor(since / 1000)));
  return `${program.me},"at":${seconds(at)},"busy":${ages.length},"ages":[${ages.join(',')}]}`;
}

const seconds = (at: number): string => (at / 1000).toFixed(3);
