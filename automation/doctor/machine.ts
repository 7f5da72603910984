import { statSync } from 'node:fs';
import { join } from 'node:path';
import { failed, ok, told, warning, type Finding } from './finding';
import type { Question } from './question';

/** As in package.json. */
const OLDEST_NODE = [20, 19] as const;

/** Seconds that a machine's clock may be off: leases, tokens and heartbeats allow for it. */
const CLOCK_TOLERANCE = 5;

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor, needMinor] = OLDEST_NODE;
  return major > needMajor || (major === needMajor && minor >= needMinor)
    ? ok('Node.js', version)
    : failed('Node.js', `${version} is too old`, `install ${OLDEST_NODE.join('.')} or newer`);
}

/** Whether what must stay secret is closed to other users. */
export function checkFiles({ data, secretFaults }: Question): Finding[] {
  const faults = secretFaults.map(({ path, message }) => told('files', `${path}: ${message}`));
  const open = ['.', 'admin-token', 'pulumi', 'registry'].flatMap((name) => {
    const path = join(data, name);
    const mode = modeOf(path);
    return mode === undefined || (mode & 0o077) === 0 ? [] : [{ path, mode }];
  });
  const findings = open.map(({ path, mode }) =>
    failed('files', `others can open ${path} (mode ${mode.toString(8)})`, `chmod go= ${path}`),
  );
  if (faults.length + findings.length > 0) return [...faults, ...findings];
  return [
    modeOf(data) === undefined
      ? ok('files', `${data} is not there yet; the service makes it at its first start`)
      : ok('files', `${data} is open to its owner only`),
  ];
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return undefined;
  }
}

/**
 * This machine's clock against a vendor's.
 * @param date the `Date` header of an answer (RFC 9110, 6.6.1: to the second)
 * @param now seconds since 1970, when it came
 */
export function checkClock(date: string | null, now: number): Finding[] {
  const there = Date.parse(date ?? '') / 1000;
  if (Number.isNaN(there)) return [];
  const off = Math.round(now - there);
  if (Math.abs(off) <= CLOCK_TOLERANCE)
    return [ok('clock', `agrees with Hetzner’s within ${CLOCK_TOLERANCE} s`)];
  return [
    warning(
      'clock',
      `this machine is ${Math.abs(off)} s ${off > 0 ? 'ahead of' : 'behind'} Hetzner’s clock`,
      'set the clock, e.g. `timedatectl set-ntp true`: paid hours and waiting times are reckoned by it',
    ),
  ];
}
