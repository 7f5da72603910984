import assert from 'node:assert/strict';
import { decideStack } from '../../automation/decide/stack';
import { PAID_HOUR } from '../../automation/decide/parameters';
import type { PoolFacts } from '../../automation/decide/stack-types';
import { experienced, NOW } from './worlds';
import {
  alarmCodes,
  changes,
  CI,
  decideCi,
  facts,
  FIXED,
  INITIAL_POOL_MEMORY,
  knowing,
  KNOWING,
  NOTHING,
  queue,
  stack,
  view,
  type WorkerTraits,
} from './stack-worlds';

/** An age at which the paid hour ends in so many seconds. */
const ending = (left: number): number => PAID_HOUR - left;
const views = (count: number, traits: WorkerTraits = {}, name = 'w'): ReturnType<typeof view>[] =>
  Array.from({ length: count }, (_, index) => view(`${name}${index}`, traits));

/** What is known of a pool whose queue was never read. */
function unreadFacts(workers: ReturnType<typeof view>[]): PoolFacts {
  const { served, booted, failures, launched } = facts([]);
  return { workers, served, booted, failures, launched };
}

describe('what a pool sees', () => {
  it('lesson 1: counts what boots, so that waiting for it launches no second', () => {
    const booting = views(5, { status: 'booting', age: 10, server: false });
    assert.deepEqual(changes(decideCi(facts(booting, { queue: queue(10, 10) })).plan), NOTHING);
  });

  it('lesson 5: launches at once though a worker drains with a long job', () => {
    const draining = view('a', { drain: 'rollout', told: 50, busy: 1 });
    assert.equal(decideCi(facts([draining], { queue: queue(3, 200) })).plan.launches.length, 1);
  });

  for (const status of ['silent', 'lost'] as const)
    it(`launches in place of a ${status} worker, which yet counts against the greatest size`, () => {
      const workers = [view('a', { status, beat: 90 }), ...views(2, { busy: 1 })];
      const seen = facts(workers, { queue: queue(1, 290) });
      assert.equal(decideCi(seen, { pool: { minSize: 3 } }).plan.launches.length, 1);
      const full = decideCi(seen, { pool: { minSize: 3, maxSize: 3 } }).plan;
      assert.equal(full.launches.length, 0);
      assert.match(
        full.pools['ci']?.reasons.join('\n') ?? '',
        /0 of 1 are launched: the pool may have 3, and 1 of its 3 members/,
      );
    });

  it('follows the minimum where no queue belongs to it', () => {
    const observation = stack({ web: facts([], {}) });
    const { plan } = decideStack(observation, { pools: { web: FIXED } }, knowing('web'));
    assert.equal(plan.launches.length, 3);
    assert.equal(plan.pools['web']?.desired, 3);
  });

  it('holds the size where its queue was last read more than two minutes ago', () => {
    const { plan } = decideCi(facts(views(2, { age: ending(30) }), { queue: queue(50, 400, 121) }));
    assert.deepEqual(changes(plan), NOTHING);
    assert.deepEqual(alarmCodes(plan), ['ci queue-unreadable']);
    assert.match(plan.pools['ci']?.reasons.join('\n') ?? '', /last read 121 s ago: the size is held/);
  });

  it('launches no more than the minimum, and lets nobody go, before its queue was ever read', () => {
    const unread = unreadFacts(views(1, { age: ending(30) }));
    const { plan } = decideCi(unread, { pool: { minSize: 2, standby: 8 }, listeningSince: NOW - 200 });
    assert.deepEqual(changes(plan), { ...NOTHING, launches: 1 });
    assert.deepEqual(alarmCodes(plan), ['ci queue-unreadable']);
  });

  it('holds what it knows nothing of', () => {
    const { plan } = decideStack(stack({}), { pools: { ci: { ...CI, minSize: 5 } } }, knowing('ci'));
    assert.deepEqual(changes(plan), NOTHING);
  });
});

describe('removal in the safe order', () => {
  it('lesson 4: first tells an idle worker at the end of its hour to take no job, and removes nothing', () => {
    assert.deepEqual(changes(decideCi(facts([view('a', { age: ending(40) })])).plan), {
      ...NOTHING,
      drains: ['a policy'],
    });
  });

  for (const { about, traits, leaves } of [
    { about: 'told, and idle by a later heartbeat', traits: { told: 10, beat: 2 }, leaves: true },
    { about: 'not told yet', traits: { beat: 2 }, leaves: false },
    { about: 'told by its latest heartbeat', traits: { told: 2, beat: 2 }, leaves: false },
    { about: 'told, and not heard of since', traits: { told: 10, beat: 11 }, leaves: false },
    { about: 'told, and last heard of 31 s ago', traits: { told: 40, beat: 31 }, leaves: false },
    { about: 'told, and still busy', traits: { told: 10, beat: 2, busy: 1 }, leaves: false },
  ])
    for (const drain of ['policy', 'rollout', 'excess'] as const)
      it(`lesson 4: ${leaves ? 'removes' : 'keeps'} a worker drained by ${drain} that is ${about}`, () => {
        const worker = view('a', { age: ending(30), drain, drifted: drain === 'rollout', ...traits });
        assert.deepEqual(
          changes(decideCi(facts([worker])).plan),
          leaves ? { ...NOTHING, removals: ['a idle'] } : NOTHING,
        );
      });

  it('lesson 12: removes by policy in the last minute of the paid hour only', () => {
    const removed = Array.from({ length: PAID_HOUR }, (_, second) => second).filter((second) => {
      const worker = view('a', { age: PAID_HOUR + second, drain: 'policy', told: 10 });
      return decideCi(facts([worker])).plan.removals.length > 0;
    });
    assert.equal(removed[0], PAID_HOUR - 45);
    assert.equal(removed.at(-1), PAID_HOUR - 1);
    assert.equal(removed.length, 45);
  });

  it('lesson 12: resumes a drained worker whose next hour has begun, as it is paid for anew', () => {
    const worker = view('a', { age: PAID_HOUR + 5, drain: 'policy', told: 20 });
    assert.deepEqual(changes(decideCi(facts([worker])).plan), { ...NOTHING, resumes: ['a'] });
  });

  it('lesson 5: cancels a drain when load returns, and buys no server', () => {
    const worker = view('a', { age: ending(30), drain: 'policy', told: 10 });
    assert.deepEqual(changes(decideCi(facts([worker], { queue: queue(1, 200) })).plan), {
      ...NOTHING,
      resumes: ['a'],
    });
  });

  for (const drain of ['rollout', 'operator', 'excess'] as const)
    it(`never resumes what ${drain} drains`, () => {
      const worker = view('a', { drain, told: 10, busy: 1 });
      assert.deepEqual(changes(decideCi(facts([worker], { queue: queue(1, 200) })).plan), {
        ...NOTHING,
        launches: 1,
      });
    });

  it('removes a worker that never registered, without ceremony', () => {
    const worker = view('a', { status: 'booting', age: 400 });
    assert.deepEqual(changes(decideCi(facts([worker])).plan), { ...NOTHING, removals: ['a useless'] });
  });

  for (const { listened, removals } of [
    { listened: 120, removals: [] },
    { listened: 121, removals: ['a useless'] },
  ])
    it(`removes ${removals.length} that never registered ${listened} s after somebody began to listen`, () => {
      const worker = view('a', { status: 'booting', age: 1300 });
      const { plan } = decideCi(facts([worker]), { listeningSince: NOW - listened });
      assert.deepEqual(changes(plan), { ...NOTHING, removals });
    });

  it('removes a worker that says that its set-up failed, whatever time it has had', () => {
    const worker = view('a', { status: 'booting', age: 20, failedStep: '13-packages' });
    const { plan } = decideCi(facts([worker]), { listeningSince: NOW - 5 });
    assert.deepEqual(changes(plan), { ...NOTHING, removals: ['a useless'] });
    assert.match(plan.removals[0]?.reason ?? '', /^its set-up failed in step 13-packages$/);
  });

  it('keeps a late worker that registered meanwhile', () => {
    assert.deepEqual(changes(decideCi(facts([view('a', { age: 400 })])).plan), NOTHING);
  });
});

describe('the minimum', () => {
  it('stays ready at the end of an hour while its replacement only boots', () => {
    const workers = [
      view('old', { drifted: true, age: ending(30) }),
      view('new', { status: 'booting', age: 20 }),
    ];
    const { plan } = decideCi(facts(workers), { pool: { minSize: 1 } });
    assert.deepEqual(changes(plan), NOTHING);
    assert.match(plan.pools['ci']?.reasons.join('\n') ?? '', /old stay all the same: 1 are to be ready/);
  });
});

describe('silent and lost workers', () => {
  const fleet = views(4);

  for (const { about, traits, removed } of [
    { about: 'silent for 300 s', traits: { beat: 300 }, removed: false },
    { about: 'silent for 301 s', traits: { beat: 301 }, removed: true },
    { about: 'silent for 900 s with a job', traits: { beat: 900, busy: 1 }, removed: false },
    { about: 'silent for 901 s with a job', traits: { beat: 901, busy: 1 }, removed: true },
    {
      about: 'silent for an hour while it drains',
      traits: { beat: 3600, drain: 'policy' as const },
      removed: true,
    },
  ])
    it(`${removed ? 'gives up' : 'waits for'} a worker that is ${about}`, () => {
      const worker = view('a', { status: 'silent', ...traits });
      assert.deepEqual(changes(decideCi(facts([...fleet, worker])).plan), {
        ...NOTHING,
        removals: removed ? ['a useless'] : [],
      });
    });

  it('gives up one silent worker a tick, the longest silent first', () => {
    const silent = [view('a', { status: 'silent', beat: 400 }), view('b', { status: 'silent', beat: 500 })];
    assert.deepEqual(changes(decideCi(facts([...fleet, ...silent])).plan).removals, ['b useless']);
  });

  it('gives up nobody when half of the workers fall silent at once, and says so', () => {
    const silent = views(4, { status: 'silent', beat: 2000 }, 's');
    const { plan } = decideCi(facts([...fleet, ...silent]), { pool: { minSize: 8 } });
    assert.deepEqual(changes(plan), NOTHING);
    assert.deepEqual(alarmCodes(plan), ['workers-silent']);
    assert.match(plan.alarms[0]?.message ?? '', /^4 of 8 workers are silent at once/);
  });

  it('counts them over the whole stack', () => {
    const pools = { pools: { ci: CI, web: { ...FIXED, minSize: 4, maxSize: 4 } } };
    const web = facts(views(4, { pool: 'web' }, 'web'));
    const ci = facts(views(3, { status: 'silent', beat: 2000 }));
    assert.deepEqual(changes(decideStack(stack({ ci, web }), pools, knowing('ci', 'web')).plan).removals, [
      'w0 useless',
    ]);
  });

  it('takes them for dead after all when their jobs wait too long', () => {
    const silent = views(2, { status: 'silent', beat: 2000 });
    const { plan } = decideCi(facts(silent, { queue: queue(2, 301) }));
    assert.deepEqual(changes(plan), { ...NOTHING, launches: 1 });
  });

  it('waits after a start until it has listened for as long', () => {
    const worker = view('a', { status: 'silent', beat: 2000 });
    for (const { listened, removals, alarms } of [
      { listened: 59, removals: [], alarms: [] },
      { listened: 61, removals: [], alarms: ['workers-silent'] },
      { listened: 301, removals: ['a useless'], alarms: [] },
    ]) {
      const { plan } = decideCi(facts([...fleet, worker]), { listeningSince: NOW - listened });
      assert.deepEqual(changes(plan), { ...NOTHING, removals });
      assert.deepEqual(alarmCodes(plan), alarms);
    }
  });

  it('launches nothing for workers that were not heard since the start only because nobody listened', () => {
    const silent = views(3, { status: 'silent', beat: 700 });
    const { plan } = decideCi(facts(silent), { listeningSince: NOW - 20, pool: { minSize: 3 } });
    assert.deepEqual(changes(plan), NOTHING);
  });

  it('removes what the vendor has lost, unless it spoke within the last minute', () => {
    const lost = [view('a', { status: 'lost', beat: 61 }), view('b', { status: 'lost', beat: 59 })];
    assert.deepEqual(changes(decideCi(facts([...lost, view('c', { status: 'lost', beat: 400 })])).plan), {
      ...NOTHING,
      removals: ['a useless', 'c useless'],
    });
  });
});

describe('a rollout', () => {
  const old = views(3, { drifted: true, busy: 1 }, 'old');
  const steady = { minSize: 3, maxSize: 5 };

  it('launches a new worker before an old one stops', () => {
    const { plan } = decideCi(facts(old), { pool: steady });
    assert.deepEqual(changes(plan), { ...NOTHING, launches: 1 });
    assert.match(
      plan.pools['ci']?.reasons.join('\n') ?? '',
      /3 workers are left to be replaced: 1 are wanted in their place first/,
    );
  });

  it('waits for it', () => {
    const { plan } = decideCi(facts([...old, view('new', { status: 'booting', age: 30 })]), { pool: steady });
    assert.deepEqual(changes(plan), NOTHING);
  });

  it('lets the oldest idle one stop when it is ready', () => {
    const idle = [view('old3', { drifted: true, age: 1900 }), view('old4', { drifted: true, age: 2000 })];
    const { plan } = decideCi(facts([...old, ...idle, view('new')]), { pool: { minSize: 5, maxSize: 9 } });
    assert.deepEqual(changes(plan), { ...NOTHING, drains: ['old4 rollout'] });
  });

  it('lets a busy one stop where none is idle', () => {
    const { plan } = decideCi(facts([...old, view('new')]), { pool: steady });
    assert.deepEqual(changes(plan), { ...NOTHING, drains: ['old0 rollout'] });
  });

  it('makes one budget step at a time', () => {
    const draining = view('old0', { drifted: true, drain: 'rollout', told: 20, busy: 1 });
    const { plan } = decideCi(facts([...old.slice(1), draining, view('new')]), { pool: steady });
    assert.deepEqual(changes(plan), NOTHING);
    const wider = decideCi(facts([...old.slice(1), draining, view('new')]), {
      pool: { ...steady, rollout: { maxSurge: 2, maxUnavailable: 0 } },
    });
    assert.deepEqual(changes(wider.plan), { ...NOTHING, launches: 1 });
  });

  it('lesson 2: keeps its surge within the greatest size, and says that nothing can move', () => {
    const { plan } = decideCi(facts(old), { pool: { minSize: 3, maxSize: 3 } });
    assert.deepEqual(changes(plan), NOTHING);
    assert.deepEqual(alarmCodes(plan), ['ci rollout-stuck']);
  });

  it('takes an old one out first where the pool is full and one may be missing', () => {
    const bounds = { minSize: 3, maxSize: 3, rollout: { maxSurge: 1, maxUnavailable: 1 } };
    const first = decideCi(facts(old), { pool: bounds }).plan;
    assert.deepEqual(changes(first), { ...NOTHING, drains: ['old0 rollout'] });
    const second = decideCi(facts([...old.slice(1), view('new', { status: 'booting', age: 10 })]), {
      pool: bounds,
    }).plan;
    assert.deepEqual(changes(second), NOTHING);
  });

  it('leaves idle workers that the pool can do without to the end of their hour', () => {
    const idle = views(2, { drifted: true });
    assert.deepEqual(changes(decideCi(facts(idle)).plan), NOTHING);
  });

  it('does not wait for that where a person ordered it: one new worker, then the old ones', () => {
    const idle = views(2, { drifted: true });
    const orders = { sizes: {}, rollouts: { ci: { workers: [], by: 'ann', since: NOW - 5 } } };
    assert.deepEqual(changes(decideCi(facts(idle), { orders }).plan), { ...NOTHING, launches: 1 });
    assert.deepEqual(changes(decideCi(facts([...idle, view('new')]), { orders }).plan), {
      ...NOTHING,
      drains: ['w0 rollout'],
    });
  });

  it('replaces a worker of today’s template that a person names', () => {
    const orders = { sizes: {}, rollouts: { ci: { workers: ['w1'], by: 'ann', since: NOW - 5 } } };
    const { plan } = decideCi(facts(views(3)), { orders });
    assert.deepEqual(changes(plan), { ...NOTHING, drains: ['w1 rollout'] });
    assert.match(plan.drains[0]?.reason ?? '', /^ann ordered its replacement/);
  });

  it('lesson 3: stops when new workers never become ready, and keeps the old ones', () => {
    const memory = { policy: { ...experienced, failedBoots: 3, probedAt: NOW - 100 } };
    const { plan } = decideCi(facts([...old, view('new')]), { pool: steady, memory });
    assert.deepEqual(changes(plan), NOTHING);
    assert.deepEqual(alarmCodes(plan), ['ci workers-never-ready', 'ci rollout-halted']);
  });

  it('waits while the queue cannot be read', () => {
    const { plan } = decideCi(facts([...old, view('new')], { queue: queue(0, 0, 300) }), { pool: steady });
    assert.deepEqual(changes(plan), NOTHING);
  });

  it('waits while the pool scales out', () => {
    const seen = facts([...old, view('new', { busy: 1 })], { queue: queue(40, 200) });
    const { plan } = decideCi(seen, { pool: { minSize: 3, maxSize: 40 } });
    assert.notEqual(plan.launches.length, 0);
    assert.deepEqual(plan.drains, []);
  });
});

describe('budgets', () => {
  const two = { pools: { ci: CI, web: { ...FIXED, minSize: 2, maxSize: 2 } } };
  const asking = stack({ ci: facts([], { queue: queue(40, 180) }), web: facts([]) });

  it('are given to minimums first, then in the order of the file', () => {
    const { plan } = decideStack(asking, { ...two, hourlyBudget: 0.05 }, knowing('ci', 'web'));
    const launched = (name: string): number => plan.launches.filter(({ pool }) => pool === name).length;
    assert.deepEqual([launched('web'), launched('ci')], [2, 3]);
    assert.deepEqual(alarmCodes(plan), ['ci budget-reached']);
    assert.match(
      plan.pools['ci']?.reasons.at(-1) ?? '',
      /^3 of 10 are launched: the budget is 0.0500 EUR an hour, of which 0 workers cost 0.0000$/,
    );
    assert.equal(plan.pools['ci']?.desired, 10);
  });

  it('pay for the NAT machine first', () => {
    const seen = { ...asking, gatewayHourly: 0.02, spentThisMonth: 0 };
    const { plan } = decideStack(seen, { ...two, hourlyBudget: 0.05 }, knowing('ci', 'web'));
    assert.equal(plan.launches.length, 3);
    assert.match(
      plan.pools['ci']?.reasons.at(-1) ?? '',
      /of which 0 workers and the NAT machine cost 0\.0200$/,
    );
  });

  it('stop minimums too: money is the harder limit', () => {
    const { plan } = decideStack(asking, { ...two, hourlyBudget: 0.01 }, knowing('ci', 'web'));
    assert.deepEqual(
      plan.launches.map(({ pool }) => pool),
      ['web'],
    );
    assert.deepEqual(alarmCodes(plan), ['ci budget-reached', 'web budget-reached']);
  });

  it('count every member, silent and leaving ones too', () => {
    const workers = [view('a', { status: 'lost', beat: 90 }), view('b', { drain: 'operator' })];
    const { plan } = decideCi(facts(workers, { queue: queue(40, 180) }), {}, { hourlyBudget: 0.05 });
    assert.equal(plan.launches.length, 3);
  });

  it('of a month hold what is spent, what was launched since, and each new hour', () => {
    const coming = view('a', { status: 'booting', age: 5, server: false });
    const seen = facts([coming], { queue: queue(40, 180) });
    const { plan } = decideCi(seen, { spentThisMonth: 9.97 }, { monthlyBudget: 10 });
    assert.equal(plan.launches.length, 2);
    assert.match(plan.alarms[0]?.message ?? '', /10.00 EUR a month, of which 9.9800 are spent/);
  });

  it('of a month whose spending is unknown let the minimum through, and no more', () => {
    const seen = facts([], { queue: queue(40, 180) });
    const { plan } = decideCi(seen, { pool: { minSize: 1 } }, { monthlyBudget: 10 });
    assert.equal(plan.launches.length, 1);
    assert.deepEqual(alarmCodes(plan), ['ci spend-unknown']);
  });

  it('name no alternative that is too dear for them', () => {
    const seen = facts([], { queue: queue(4, 290) });
    const alternatives = (hourlyBudget: number): unknown =>
      decideCi(seen, {}, { hourlyBudget }).plan.alternatives['ci'];
    const { launches } = decideCi(seen).plan;
    assert.deepEqual(alternatives(launches.length * 0.02), [{ serverType: 'cpx32', location: 'nbg1' }]);
    assert.deepEqual(alternatives(launches.length * 0.02 - 0.001), []);
  });

  it('lesson 8: never stop a removal', () => {
    const seen = facts([view('a', { age: ending(30), drain: 'policy', told: 10 })]);
    const { plan } = decideCi(seen, { spentThisMonth: 11 }, { hourlyBudget: 0, monthlyBudget: 10 });
    assert.deepEqual(changes(plan), { ...NOTHING, removals: ['a idle'] });
  });

  it('lesson 10: of requests are shared by all pools, and leave alone what deletions need', () => {
    const api = { limit: 3600, remaining: 1083 };
    const { plan } = decideStack({ ...asking, api }, two, knowing('ci', 'web'));
    assert.equal(plan.launches.length, 3);
    assert.deepEqual(alarmCodes(plan), ['ci api-budget-low']);
  });
});

describe('orders', () => {
  const order = (
    size: number,
    until = NOW + 60,
  ): { sizes: Record<string, never> | object; rollouts: object } => ({
    sizes: { ci: { size, by: 'ann', since: NOW - 5, until } },
    rollouts: {},
  });
  const ordered = (size: number, until?: number): Parameters<typeof decideCi>[1] =>
    ({ orders: order(size, until) }) as Parameters<typeof decideCi>[1];

  it('to pause change nothing, whatever is due', () => {
    const seen = facts(
      [
        view('a', { age: ending(30), drain: 'policy', told: 10 }),
        view('b', { status: 'lost', beat: 400 }),
        view('c', { status: 'booting', age: 500 }),
        view('d', { drifted: true }),
        view('e', { age: PAID_HOUR + 5, drain: 'policy', told: 20 }),
      ],
      { queue: queue(50, 400) },
    );
    const pause = { by: 'ann', since: NOW - 60, reason: 'maintenance' };
    const { plan } = decideCi(seen, { orders: { pause, sizes: {}, rollouts: {} } });
    assert.deepEqual(changes(plan), NOTHING);
    assert.match(
      plan.pools['ci']?.reasons[0] ?? '',
      /^paused by ann since .* \(maintenance\): nothing is changed/,
    );
  });

  it('of a size scale out at once', () => {
    const { plan } = decideCi(facts([]), ordered(4));
    assert.equal(plan.launches.length, 4);
    assert.equal(plan.pools['ci']?.desired, 4);
    assert.match(plan.pools['ci']?.reasons[0] ?? '', /^ann holds the size at 4 until 2026-01-03T/);
  });

  it('of a size hold it: nobody leaves at the end of an hour, and no queue adds one', () => {
    const seen = facts(views(2, { age: ending(30) }), { queue: queue(50, 100) });
    assert.deepEqual(changes(decideCi(seen, ordered(2)).plan), NOTHING);
  });

  it('of a lower size let idle ones go at once, and busy ones when their jobs are done', () => {
    const workers = [...views(2, { busy: 1 }, 'busy'), ...views(2, {}, 'idle')];
    assert.deepEqual(changes(decideCi(facts(workers), ordered(1)).plan), {
      ...NOTHING,
      drains: ['idle0 excess', 'idle1 excess', 'busy0 excess'],
    });
  });

  it('of a lower size wait for what boots rather than stop a busy one', () => {
    const workers = [...views(2, { busy: 1 }, 'busy'), ...views(2, { status: 'booting', age: 20 }, 'new')];
    assert.deepEqual(changes(decideCi(facts(workers), ordered(2)).plan), NOTHING);
  });

  it('of a lower size let outdated ones go first', () => {
    const workers = [view('a'), view('b', { drifted: true }), view('c')];
    assert.deepEqual(changes(decideCi(facts(workers), ordered(2)).plan).drains, ['b excess']);
  });

  it('of a size replace workers that drain for long', () => {
    const draining = views(2, { drain: 'excess', told: 100, busy: 1 }, 'gone');
    assert.equal(decideCi(facts([...draining, view('a')]), ordered(3)).plan.launches.length, 2);
  });

  for (const { size, desired } of [
    { size: 0, desired: 1 },
    { size: 99, desired: 6 },
  ])
    it(`of size ${size} are bounded by the configuration: ${desired}`, () => {
      const { plan } = decideCi(facts([view('a')]), { ...ordered(size), pool: { minSize: 1, maxSize: 6 } });
      assert.equal(plan.pools['ci']?.desired, desired);
    });

  it('of a size end when they expire', () => {
    assert.deepEqual(changes(decideCi(facts([]), ordered(4, NOW)).plan), NOTHING);
  });

  for (const { left, leaves } of [
    { left: 46, leaves: false },
    { left: 45, leaves: true },
  ])
    it(`to drain a worker ${leaves ? 'remove it' : 'keep it'} ${left} s before its hour ends`, () => {
      const worker = view('a', { age: ending(left), drain: 'operator', told: 20 });
      assert.deepEqual(changes(decideCi(facts([worker])).plan).removals, leaves ? ['a idle'] : []);
    });
});

describe('placements', () => {
  it('lesson 9: one launch finds out about a placement that none used for a day', () => {
    const seen = facts([], { queue: queue(40, 180) });
    const { plan } = decideCi(seen, { memory: { proven: { 'cx33/fsn1': NOW - 86_401 } } });
    assert.deepEqual(plan.launches, [{ pool: 'ci', serverType: 'cx33', location: 'fsn1' }]);
    assert.match(plan.pools['ci']?.reasons.at(-1) ?? '', /^1 of 10 are launched: cx33 in fsn1/);
    assert.equal(plan.pools['ci']?.desired, 10);
    const next = decideCi(
      { ...seen, launched: [{ serverType: 'cx33', location: 'fsn1' }] },
      {
        memory: { proven: {} },
      },
    );
    assert.equal(next.plan.launches.length, 10);
    assert.deepEqual(next.memory.pools['ci']?.proven, { 'cx33/fsn1': NOW });
  });

  it('lesson 9: ten workers with two bad placements take at most twelve requests', () => {
    const cx33 = { serverType: 'cx33', location: 'fsn1' };
    const placements = [
      { ...cx33, price: 0.01 },
      { serverType: 'cpx32', location: 'nbg1', price: 0.02 },
      { serverType: 'cpx42', location: 'hel1', price: 0.03 },
    ];
    let memory = { pools: { ci: { ...INITIAL_POOL_MEMORY, policy: experienced } } } as ReturnType<
      typeof knowing
    >;
    let workers: ReturnType<typeof view>[] = [];
    let news = {};
    let requests = 0;
    for (let tick = 0; tick < 6; tick += 1) {
      const now = NOW + tick * 2;
      const seen = facts(workers, { queue: { ...queue(40, 180), observedAt: now }, ...news });
      const decision = decideStack(
        stack({ ci: seen }, { now }),
        { pools: { ci: { ...CI, placements } } },
        memory,
      );
      memory = decision.memory;
      const failures: unknown[] = [];
      const launched: unknown[] = [];
      for (const launch of decision.plan.launches)
        for (const placement of [launch, ...(decision.plan.alternatives['ci'] ?? [])]) {
          requests += 1;
          const { serverType, location } = placement;
          if (serverType !== 'cpx42') {
            failures.push({ placement: { serverType, location }, kind: 'sold-out' });
            continue;
          }
          launched.push({ serverType, location });
          workers = [...workers, view(`w${workers.length}`, { status: 'booting', age: 0, server: false })];
          break;
        }
      news = { failures, launched };
    }
    assert.equal(workers.length, 10);
    assert.equal(requests, 12);
  });

  it('are asked nine times in an hour in which all are sold out, and at once when the vendor’s list has one again', () => {
    let memory = knowing('ci');
    let news = {};
    const launches = (now: number, placements = CI.placements): number => {
      const seen = facts([], { queue: { ...queue(40, 180), observedAt: now }, ...news });
      const decision = decideStack(
        stack({ ci: seen }, { now }),
        { pools: { ci: { ...CI, placements } } },
        memory,
      );
      memory = decision.memory;
      const { length } = decision.plan.launches;
      const failures = placements.map((placement) => ({ placement, kind: 'sold-out' as const }));
      news = length > 0 ? { failures } : {};
      return length;
    };
    const hour = Array.from({ length: 360 }, (_, tick) => launches(NOW + 10 * tick));
    assert.equal(hour.filter((count) => count > 0).length, 9);
    const offering = (available: boolean) => CI.placements.map((placement) => ({ ...placement, available }));
    assert.equal(launches(NOW + 3600, offering(false)), 0);
    assert.ok(launches(NOW + 3610, offering(true)) > 0);
  });

  it('forgets the proof of a placement that is sold out since', () => {
    const { memory } = decideCi(
      facts([], { failures: [{ placement: { serverType: 'cx33', location: 'fsn1' }, kind: 'sold-out' }] }),
    );
    assert.deepEqual(memory.pools['ci']?.proven, { 'cpx32/nbg1': NOW });
  });
});

describe('alarms', () => {
  const placement = { serverType: 'cx33', location: 'fsn1' };
  const busy = views(2, { busy: 1 });

  for (const { about, decision, codes } of [
    { about: 'nothing, when all is well', decision: decideCi(facts(busy)), codes: [] },
    {
      about: 'the account’s limit (lesson 11)',
      decision: decideCi(facts(busy, { failures: [{ placement, kind: 'limit' }] })),
      codes: ['ci quota-reached'],
    },
    {
      about: 'the vendor’s patience',
      decision: decideCi(facts(busy, { failures: [{ placement, kind: 'rate' }] })),
      codes: ['ci rate-limited'],
    },
    {
      about: 'placements of which none is left',
      decision: decideCi(
        facts(busy, {
          failures: CI.placements.map((sold) => ({ placement: sold, kind: 'sold-out' as const })),
        }),
      ),
      codes: ['ci sold-out-everywhere'],
    },
    {
      about: 'placements of which none is on offer',
      decision: decideCi(facts(busy), { pool: { placements: [] } }),
      codes: ['ci sold-out-everywhere'],
    },
    {
      about: 'jobs that wait for long in a pool that is full',
      decision: decideCi(facts(busy, { queue: queue(3, 601) }), { pool: { maxSize: 2 } }),
      codes: ['ci at-maximum'],
    },
    {
      about: 'jobs that wait for long in a pool that is not',
      decision: decideCi(facts(busy, { queue: queue(3, 601) })),
      codes: ['ci late'],
    },
    {
      about: 'nothing up to twice the target',
      decision: decideCi(facts(busy, { queue: queue(3, 600) })),
      codes: [],
    },
  ])
    it(`tell of ${about}`, () => assert.deepEqual(alarmCodes(decision.plan), codes));

  it('stay while the limit holds, and end with the next success', () => {
    const failed = decideCi(facts(busy, { failures: [{ placement, kind: 'limit' }] })).memory;
    const pools = { pools: { ci: CI } };
    const later = (now: number, change = {}): string[] =>
      alarmCodes(decideStack(stack({ ci: facts([], change) }, { now }), pools, failed).plan).filter(
        (code) => code !== 'ci queue-unreadable',
      );
    assert.deepEqual(later(NOW + 900), ['ci quota-reached']);
    assert.deepEqual(later(NOW + 900, { launched: [placement] }), []);
    assert.deepEqual(later(NOW + 1200), []);
  });

  it('lesson 11: the limit holds launches, and nothing else', () => {
    const seen = facts([view('a', { age: ending(30), drain: 'excess', told: 10 })], {
      queue: queue(40, 180),
      failures: [{ placement, kind: 'limit' }],
    });
    const { plan } = decideCi(seen);
    assert.deepEqual(changes(plan), { ...NOTHING, removals: ['a idle'] });
    assert.match(plan.pools['ci']?.reasons.join('\n') ?? '', /the vendor refused further servers/);
  });

  it('lesson 8: one pool’s troubles are not another’s', () => {
    const trouble = facts([view('x', { pool: 'web', status: 'booting', age: 500 })], {
      failures: [{ placement, kind: 'limit' }],
    });
    const pools = { pools: { web: FIXED, ci: CI } };
    const observation = stack({ web: trouble, ci: facts([], { queue: queue(40, 180) }) });
    const memory = {
      pools: { web: { ...KNOWING, policy: { ...experienced, failedBoots: 5, probedAt: NOW } }, ci: KNOWING },
    };
    const { plan } = decideStack(observation, pools, memory);
    assert.equal(plan.launches.filter(({ pool }) => pool === 'ci').length, 10);
    assert.deepEqual(alarmCodes(plan), ['web workers-never-ready', 'web quota-reached']);
  });
});

describe('the breaker’s probe', () => {
  it('may be a rollout’s', () => {
    const memory = { policy: { ...experienced, failedBoots: 3 } };
    const old = views(3, { drifted: true, busy: 1 });
    const { plan, memory: after } = decideCi(facts(old), { memory, pool: { minSize: 3 } });
    assert.equal(plan.launches.length, 1);
    assert.equal(after.pools['ci']?.policy.probedAt, NOW);
  });

  it('counts only when it is really launched', () => {
    const memory = { policy: { ...experienced, failedBoots: 3 } };
    const seen = facts([], { queue: queue(1, 290) });
    assert.equal(decideCi(seen, { memory }).memory.pools['ci']?.policy.probedAt, NOW);
    const held = decideCi(seen, { memory }, { hourlyBudget: 0 });
    assert.equal(held.memory.pools['ci']?.policy.probedAt, undefined);
  });
});
