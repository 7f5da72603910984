import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

const heartbeat = 5_000;
/** An owner that has not touched its lock for this long is taken for dead, wherever it ran. */
const deadAfter = 60_000;
/** Taking a lock over lasts milliseconds: a guard older than this was left behind. */
const guardDeadAfter = 10_000;

/**
 * Holds the lock file at `path` while `work` runs. The lock of an owner that died is taken over.
 * `waiting(owner)` is called once when somebody else holds it.
 */
export async function withLock(path, waiting, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!acquire(path)) {
    const owner = ownerOf(path);
    if (owner?.dead) takeOver(path);
    else {
      if (owner !== undefined && !told) waiting(owner);
      told ||= owner !== undefined;
      await sleep(200);
    }
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // Somebody removed the cache; the work itself does not depend on the lock.
    }
  }, heartbeat);
  beat.unref();
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.removeListener('exit', release);
    release();
  }
}

/** Says through `log` who holds the lock under which `what` is got. */
export function waitingFor(what, log) {
  return ({ pid, host }) => log(`Waiting for process ${pid} on ${host}, which is getting ${what} …`);
}

function acquire(path) {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, JSON.stringify({ pid: process.pid, host: hostname() }));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Who holds the lock, and whether that process is gone; undefined when nobody does any more. */
function ownerOf(path) {
  try {
    const silent = Date.now() - statSync(path).mtimeMs;
    const text = readFileSync(path, 'utf8');
    // Between creating the lock and naming its owner it is empty.
    const { pid, host } = text === '' ? {} : JSON.parse(text);
    return { pid, host, dead: silent > deadAfter || (host === hostname() && !isAlive(pid)) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Removes a dead owner's lock. A guard keeps a second rescuer from removing the lock that the first one then took. */
function takeOver(path) {
  const guard = `${path}.takeover`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > guardDeadAfter) removeGuard(guard);
    return;
  }
  try {
    if (ownerOf(path)?.dead) rmSync(path, { force: true });
  } finally {
    removeGuard(guard);
  }
}

function removeGuard(guard) {
  try {
    rmdirSync(guard);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
