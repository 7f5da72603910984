import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createClock } from '../../../sandbox/kernel/clock';
import { Schedule } from '../../../sandbox/kernel/schedule';

interface Ran {
  subject: string;
  at: number;
  now: number;
}

function stepped(): { schedule: Schedule; ran: Ran[]; now: () => number } {
  const clock = createClock({ kind: 'stepped' }, 0);
  const schedule = new Schedule(clock);
  const ran: Ran[] = [];
  schedule.on('note', (subject, at) => ran.push({ subject, at, now: clock.now() }));
  return { schedule, ran, now: () => clock.now() };
}

const instants = fc.array(fc.nat(1000), { maxLength: 30 });

describe('the schedule', () => {
  it('waits at each instant for what its events began, and runs what that plans, when asked to settle', async () => {
    const { schedule, ran, now } = stepped();
    const waited: number[] = [];
    schedule.at(10, 'note', 'first');
    schedule.at(10, 'note', 'second');
    await schedule.advanceSettling(100, async () => {
      await Promise.resolve();
      waited.push(now());
      if (now() < 90) schedule.after(30, 'note', 'planned');
    });
    assert.deepEqual(
      ran.map(({ subject, at }) => `${subject} ${at}`),
      // Planned at the start, at 10, at 30, at 40, …: each wait plans one more.
      [
        'first 10',
        'second 10',
        'planned 30',
        'planned 40',
        'planned 60',
        'planned 70',
        'planned 90',
        'planned 100',
      ],
    );
    assert.deepEqual(waited, [0, 10, 30, 40, 60, 70, 90, 100]);
    assert.equal(now(), 100);
  });

  it('runs each event once, in the order of time, and those of one instant in the order of planning', () => {
    fc.assert(
      fc.property(instants, (times) => {
        const { schedule, ran } = stepped();
        times.forEach((at, index) => schedule.at(at, 'note', String(index)));
        schedule.advance(1000);
        const expected = times
          .map((at, index) => ({ at, subject: String(index) }))
          .sort((a, b) => a.at - b.at || Number(a.subject) - Number(b.subject));
        assert.deepEqual(
          ran.map(({ at, subject }) => ({ at, subject })),
          expected,
        );
        assert.ok(ran.every(({ at, now }) => at === now));
      }),
    );
  });

  it('does the same in one step or in many', () => {
    fc.assert(
      fc.property(instants, fc.array(fc.nat(200), { minLength: 1, maxLength: 20 }), (times, steps) => {
        const whole = stepped();
        const parts = stepped();
        times.forEach((at, index) => {
          whole.schedule.at(at, 'note', String(index));
          parts.schedule.at(at, 'note', String(index));
        });
        const total = steps.reduce((sum, step) => sum + step, 0);
        whole.schedule.advance(total);
        for (const step of steps) parts.schedule.advance(step);
        assert.deepEqual(parts.ran, whole.ran);
        assert.equal(parts.now(), whole.now());
        assert.deepEqual(parts.schedule.snapshot(), whole.schedule.snapshot());
      }),
    );
  });

  it('runs what an event plans for within the same advance', () => {
    const { schedule, ran } = stepped();
    schedule.on('repeat', (subject, at) => {
      schedule.at(at, 'note', subject);
      if (at < 50) schedule.after(10, 'repeat', subject);
    });
    schedule.at(10, 'repeat', 'a');
    schedule.advance(35);
    assert.deepEqual(
      ran.map(({ at }) => at),
      [10, 20, 30],
    );
  });

  it('drops what is cancelled, of one kind or of all', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100), fc.constantFrom('a', 'b'))), (events) => {
        const { schedule, ran } = stepped();
        for (const [at, subject] of events) schedule.at(at, 'note', subject);
        schedule.cancel('a', 'other');
        assert.equal(schedule.snapshot().length, events.length);
        schedule.cancel('a');
        schedule.advance(100);
        assert.equal(ran.length, events.filter(([, subject]) => subject === 'b').length);
      }),
    );
  });

  it('changes nothing when its snapshot is restored', () => {
    fc.assert(
      fc.property(instants, fc.nat(1000), (times, until) => {
        const first = stepped();
        const second = stepped();
        times.forEach((at, index) => first.schedule.at(at, 'note', String(index)));
        first.schedule.advance(until);
        second.schedule.advance(until);
        second.schedule.restore(first.schedule.snapshot());
        const before = first.ran.length;
        first.schedule.advance(1000);
        second.schedule.advance(1000);
        assert.deepEqual(second.ran, first.ran.slice(before));
      }),
    );
  });

  it('runs by itself on a real clock', async () => {
    const clock = createClock({ kind: 'real', rate: 1000 });
    const schedule = new Schedule(clock);
    const ran = new Promise<string>((resolve) => schedule.on('note', resolve));
    schedule.after(5000, 'note', 'due');
    assert.equal(await ran, 'due');
    schedule.stop();
  });

  it('has one handler for a kind, and none for an unknown one', () => {
    const { schedule } = stepped();
    assert.throws(() => schedule.on('note', () => {}), /already has a handler/);
    schedule.at(1, 'unknown', 'x');
    assert.throws(() => schedule.advance(1), /no handler for event kind "unknown"/);
  });
});

describe('the clock', () => {
  it('never goes backward, whatever is done to it', () => {
    const step = fc.oneof(
      fc.record({ wall: fc.nat(1000) }),
      fc.record({ moveTo: fc.integer({ min: -1000, max: 10_000 }) }),
      fc.record({ rate: fc.double({ min: 0.1, max: 1000, noNaN: true }) }),
      fc.constant({ stepped: true }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let wall = 0;
        const clock = createClock({ kind: 'real', rate: 1 }, 0, () => wall);
        let last = clock.now();
        for (const change of steps) {
          if ('wall' in change) wall += change.wall;
          else if ('moveTo' in change) clock.moveTo(change.moveTo);
          else if ('rate' in change) clock.setMode({ kind: 'real', rate: change.rate });
          else clock.setMode({ kind: 'stepped' });
          assert.ok(clock.now() >= last, `${clock.now()} after ${last}`);
          last = clock.now();
        }
      }),
    );
  });

  it('stands still when stepped and runs at its rate when real', () => {
    let wall = 0;
    const clock = createClock({ kind: 'stepped' }, 1000, () => wall);
    wall = 500;
    assert.equal(clock.now(), 1000);
    assert.equal(clock.wallDelay(2000), undefined);
    clock.setMode({ kind: 'real', rate: 10 });
    wall = 600;
    assert.equal(clock.now(), 2000);
    assert.equal(clock.wallDelay(3000), 100);
  });
});
