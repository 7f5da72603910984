import type { WorkerMachine } from './machine';
import { file, quote, settings, type WriteFile } from './section';

export type Service = NonNullable<WorkerMachine['service']>;

/** curl's settings for talking to the service. */
export const curlFile = `${settings}/curl`;

/** Kept off the command line, which every user can read. Without `location`, the token never follows a redirect. */
export function curlSettings({ token }: Service): WriteFile {
  const header = `Authorization: Bearer ${token}`.replace(/["\\]/g, '\\$&');
  return file(curlFile, `header = "${header}"\nheader = "Content-Type: application/json"\n`, '0600');
}

/** Who the worker is, as the start of a JSON object, for the shell. */
export function identity({ environment, pool, workerId }: WorkerMachine): string {
  return quote(JSON.stringify({ environment, pool, worker: workerId }).slice(0, -1));
}

/** Where the service takes what workers say, for the shell. */
export function workersUrl({ url }: Service): string {
  return quote(`${url.replace(/\/+$/, '')}/v1/workers/`);
}
