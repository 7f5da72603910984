import { charts } from './charts.mjs';
import { h } from './dom.mjs';
import { amount, clock, duration, euros } from './format.mjs';

const STATES = ['ready', 'booting', 'draining', 'silent', 'lost'];

/** One pool: its queue, its size and why, its workers. */
export function poolView(name, pool, points, now) {
  return h(
    'article',
    { class: 'card pool', 'data-key': `pool-${name}`, 'data-pool': name },
    h('div', { class: 'title' }, h('h3', {}, name), h('span', { class: 'quiet' }, titleNote(pool, now))),
    h('dl', { class: 'numbers' }, [...queueNumbers(pool), ...sizeNumbers(pool)]),
    pool.queue?.error && h('p', { class: 'fault' }, `The queue could not be read: ${pool.queue.error}`),
    ordersView(pool, now),
    charts(points, now),
    pool.reasons.length > 0 &&
      h(
        'div',
        { class: 'reasons' },
        h('h4', {}, 'Why this size'),
        h(
          'ul',
          {},
          pool.reasons.map((reason) => h('li', {}, reason)),
        ),
      ),
    workersView(pool, now),
  );
}

function titleNote({ queue, slots, drifted, targetWait }, now) {
  const read = queue?.readAt === undefined ? 'not read yet' : `read ${duration(now - queue.readAt)} ago`;
  return [
    queue ? `${queue.kind} queue, ${read}` : 'no queue: fixed size',
    `${amount(slots, 'slot')} a worker`,
    queue && `waits at most ${duration(targetWait)}`,
    drifted > 0 && `${drifted} of an older template`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function queueNumbers({ queue }) {
  if (!queue) return [];
  const shown = (value, unit = String) => (value === undefined ? '–' : unit(value));
  return [
    number('Waiting', shown(queue.waiting), 'waiting'),
    number('Running', shown(queue.running)),
    number('Oldest waits', queue.oldestAge === undefined ? '–' : duration(queue.oldestAge)),
  ];
}

function sizeNumbers({ min, max, desired, workers, hourly }) {
  const counts = STATES.map((state) => [state, workers.filter(({ status }) => status === state).length]);
  return [
    number('Workers', h('span', {}, String(workers.length), h('small', {}, ` of ${desired}`))),
    number('Bounds', `${min}–${max}`),
    number(
      'States',
      h(
        'span',
        { class: 'states' },
        counts
          .filter(([, count]) => count > 0)
          .map(([state, count]) => h('span', { class: `state ${state}` }, `${count} ${state}`)),
        workers.length === 0 && '–',
      ),
    ),
    number('Cost', `${euros(hourly)}/h`),
  ];
}

function number(title, value, name) {
  return h('div', { class: name }, h('dt', {}, title), h('dd', {}, value));
}

function ordersView({ order, rollout }, now) {
  return [
    order &&
      h('p', { class: 'order' }, `Held at ${order.size} by ${order.by} until ${clock(order.until, now)}`),
    rollout && h('p', { class: 'order' }, `Rollout ordered by ${rollout.by}: ${rollout.left} left`),
  ];
}

function workersView({ workers }, now) {
  if (workers.length === 0) return undefined;
  return h(
    'details',
    { open: true },
    h('summary', {}, amount(workers.length, 'worker')),
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ['Worker', 'State', 'Jobs', 'Machine', 'Age', 'Heard', 'Address', ''].map((title) =>
            h('th', { scope: 'col' }, title),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        workers.map((worker) => workerRow(worker, now)),
      ),
    ),
  );
}

function workerRow(worker, now) {
  const { id, status, busy, slots, serverType, location, created, seenAt, address, drifted, drain } = worker;
  const cell = (label, ...content) => h('td', { 'data-label': label }, ...content);
  return h(
    'tr',
    { 'data-key': id, 'data-worker': id },
    h(
      'th',
      { scope: 'row' },
      id,
      drifted && h('span', { class: 'tag', title: 'its template is an older one' }, 'drifted'),
    ),
    cell(
      'State',
      h('span', { class: `state ${status}`, title: drain?.reason }, status),
      drain && h('span', { class: 'quiet' }, ` ${drain.cause}`),
      worker.failedStep && h('span', { class: 'quiet' }, ` failed in step ${worker.failedStep}`),
    ),
    cell('Jobs', `${busy}/${slots}`),
    cell('Machine', `${serverType} ${location}`),
    cell('Age', duration(now - created)),
    cell('Heard', seenAt === undefined ? '–' : `${duration(now - seenAt)} ago`),
    cell('Address', address === undefined ? '–' : h('code', {}, address)),
    h('td', { class: 'do' }, seenAt === undefined ? undefined : orderButton(drain)),
  );
}

function orderButton(drain) {
  return drain
    ? h('button', { type: 'button', 'data-action': 'undrain' }, 'Undrain')
    : h('button', { type: 'button', 'data-action': 'drain' }, 'Drain');
}
