import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { Scene } from '../../demo/scene';
import { openScreen } from '../../demo/screen';

const ESCAPE = '\u001b';

const scene = (waiting: number, changes: Partial<Scene> = {}): Scene => ({
  now: 1_800_000_000,
  elapsed: 60,
  jobs: { waiting, running: 0, done: 0, all: 9, waits: { p50: 0, p95: 0, max: 0 }, lost: 0 },
  target: 600,
  workers: [],
  changing: 0,
  hourly: 0,
  spent: 0,
  updating: false,
  events: [],
  alarms: [],
  ...changes,
});

/** What is written to a stream that is a terminal of that size, or none. */
function shown(scenes: Scene[], terminal?: { columns: number; rows: number }): string {
  const stream = new PassThrough();
  const output = Object.assign(stream, {
    isTTY: terminal !== undefined,
    ...terminal,
  }) as unknown as WriteStream;
  const screen = openScreen(output);
  scenes.forEach((one) => screen.show(one));
  screen.close();
  return String(stream.read());
}

describe("the demo's screen", () => {
  it('writes lines where it is no terminal, and the last scene in any case', () => {
    const lines = shown([scene(9), scene(5), scene(2)])
      .trimEnd()
      .split('\n');
    assert.deepEqual(
      lines.map((line) => line.trim().split(',')[0]),
      ['0:01  9 waiting', '0:01  2 waiting'],
    );
  });

  it('writes each event and each new alarm once', () => {
    const events = [{ at: 1, text: '1 launch' }];
    const text = shown([
      scene(9, { events }),
      scene(9, { events, alarms: ['it burns'] }),
      scene(9, { events, alarms: ['it burns'] }),
    ]);
    assert.equal(text.split('1 launch').length, 2);
    assert.equal(text.split('! it burns').length, 2);
  });

  it('draws each scene of a terminal over the one before, and gives the cursor back', () => {
    const text = shown([scene(9), scene(5)], { columns: 80, rows: 24 });
    assert.equal(text.split(`${ESCAPE}[15A`).length, 2);
    assert.ok(text.endsWith(`${ESCAPE}[?25h`));
  });

  it('draws no more lines than the terminal has', () => {
    assert.ok(shown([scene(9), scene(5)], { columns: 80, rows: 10 }).includes(`${ESCAPE}[9A`));
  });
});
