import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deadline } from '../../../components/preflight/deadline';

describe('a deadline', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;

  it('fires when its time is over, whatever has been collected meanwhile', async () => {
    const silent = createServer(() => undefined).unref();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const given = new AbortController();
    const { signal, release } = deadline(200, given.signal);
    const refused = assert.rejects(fetch(`http://127.0.0.1:${port}/`, { signal }), /no answer within 0\.2 s/);
    await sleep(20);
    collectGarbage();
    await refused;
    release();
    silent.close();
    assert.ok(!given.signal.aborted);
  });

  it('fires with the signal that it was given, and with its reason', () => {
    const given = new AbortController();
    const { signal, release } = deadline(60_000, given.signal);
    given.abort(new Error('no longer wanted'));
    release();
    assert.equal((signal.reason as Error).message, 'no longer wanted');
  });

  it('has fired where its signal had', () => {
    const { signal, release } = deadline(60_000, AbortSignal.abort());
    release();
    assert.ok(signal.aborted);
  });

  it('never fires after its release', () => {
    const given = new AbortController();
    const { signal, release } = deadline(60_000, given.signal);
    release();
    given.abort();
    assert.ok(!signal.aborted);
  });
});
