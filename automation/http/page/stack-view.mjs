import { h } from './dom.mjs';
import { amount, clock, duration, euros } from './format.mjs';
import { poolView } from './pool-view.mjs';

/** All of one stack. */
export function stackView({ environment, verdict, status, entries, history, now }) {
  return h(
    'section',
    { class: 'stack', 'data-key': environment, 'data-stack': environment },
    h(
      'div',
      { class: `verdict ${verdict.level}` },
      h('div', {}, h('h2', {}, environment), h('p', {}, verdict.text)),
      status && pauseButton(status),
    ),
    status && [
      alarmsView(status, now),
      factsView(status, now),
      Object.entries(status.pools).map(([name, pool]) => poolView(name, pool, history[name] ?? [], now)),
    ],
    auditView(entries, now),
  );
}

function pauseButton({ paused }) {
  return paused
    ? h('button', { type: 'button', 'data-action': 'resume' }, 'Resume')
    : h('button', { type: 'button', 'data-action': 'pause' }, 'Pause');
}

function alarmsView({ alarms, deprecations }, now) {
  if (alarms.length + deprecations.length === 0) return undefined;
  return h(
    'ul',
    { class: 'alarms', 'aria-label': 'Alarms' },
    alarms.map(({ severity, message, next, since, pool }) =>
      h(
        'li',
        { class: severity },
        h('strong', {}, message),
        h(
          'span',
          { class: 'quiet' },
          ` ${pool === undefined ? '' : `${pool}, `}for ${duration(now - since)}`,
        ),
        h('p', {}, next),
      ),
    ),
    deprecations.map(({ what, until }) =>
      h(
        'li',
        { class: 'warning' },
        h('strong', {}, `${what} ends${until === undefined ? '' : ` on ${until}`}`),
        h('p', {}, 'Name a successor in the stack’s file; new workers take it.'),
      ),
    ),
  );
}

function factsView({ cost, api, update, leader, at }, now) {
  return h('dl', { class: 'facts' }, [
    fact(
      'Cost now',
      `${euros(cost.hourly)}/h`,
      share(cost.hourly, cost.hourlyBudget, (part) => `of ${euros(part)}/h`),
    ),
    cost.month === undefined
      ? undefined
      : fact(
          'This month',
          euros(cost.month),
          share(cost.month, cost.monthlyBudget, (part) => `of ${euros(part)}`),
        ),
    api &&
      fact(
        'Hetzner API left',
        String(api.remaining),
        share(api.remaining, api.limit, (part) => `of ${part}`, 'headroom'),
      ),
    fact('Update', updateText(update, now), [updateNote(update)]),
    fact('Leader', leader, [`published ${duration(now - at)} ago`]),
  ]);
}

function fact(title, value, notes = []) {
  const [note, bar] = notes;
  return h(
    'div',
    {},
    h('dt', {}, title),
    h('dd', {}, h('b', {}, value), note && h('span', { class: 'quiet' }, ` ${note}`), bar),
  );
}

function share(value, whole, note, name = 'spent') {
  if (whole === undefined || whole <= 0) return name === 'spent' ? ['no budget set'] : [];
  const part = Math.min(1, value / whole);
  const tight = name === 'spent' ? part > 0.8 : part < 0.2;
  const bar = h(
    'svg',
    {
      class: `bar${tight ? ' tight' : ''}`,
      viewBox: '0 0 100 4',
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    h('rect', { class: 'whole', width: 100, height: 4 }),
    h('rect', { class: 'part', width: (part * 100).toFixed(1), height: 4 }),
  );
  return [note(whole), bar];
}

function updateText({ runningSince, lastOutcome, lastAt }, now) {
  if (runningSince !== undefined) return `runs for ${duration(now - runningSince)}`;
  return lastOutcome === undefined ? 'none yet' : `${lastOutcome} ${duration(now - (lastAt ?? now))} ago`;
}

function updateNote({ lastOutcome, lastProblem, lastSeconds }) {
  if (lastOutcome === 'failed' && lastProblem !== undefined) return lastProblem;
  return lastSeconds === undefined ? undefined : `last took ${duration(lastSeconds)}`;
}

function auditView(entries, now) {
  return h(
    'div',
    { class: 'card audit' },
    h('h3', {}, 'Latest decisions, updates and orders'),
    entries.length === 0 && h('p', { class: 'quiet' }, 'Nothing yet.'),
    h(
      'ol',
      {},
      entries.map(({ id, at, kind, actor, pool, summary }) =>
        h(
          'li',
          { 'data-key': String(id) },
          h('time', {}, clock(at, now)),
          h('span', { class: `kind ${kind}` }, kind),
          h(
            'span',
            { class: 'summary' },
            pool === undefined ? '' : h('b', {}, `${pool} `),
            summary,
            actor !== 'scaler' && h('span', { class: 'quiet' }, ` by ${actor}`),
          ),
        ),
      ),
    ),
    entries.length > 0 &&
      h(
        'p',
        { class: 'quiet' },
        `${amount(entries.length, 'line')}; more with `,
        h('code', {}, 'worker-pools audit'),
      ),
  );
}
