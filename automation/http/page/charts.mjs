import { h } from './dom.mjs';

const WIDTH = 300;
const HEIGHT = 48;
const HOUR = 3600;

/** One pool's last hour: what waits, and how many workers there are and should be. */
export function charts(points, now) {
  return h('div', { class: 'charts' }, [
    chart('Waiting jobs', now, [
      { class: 'waiting', points: points.map(({ at, waiting }) => [at, waiting]) },
    ]),
    chart('Workers', now, [
      { class: 'desired', points: points.map(({ at, desired }) => [at, desired]) },
      { class: 'workers', points: points.map(({ at, workers }) => [at, workers]) },
    ]),
  ]);
}

function chart(title, now, lines) {
  const top = Math.max(1, ...lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0)));
  return h(
    'figure',
    {},
    h('figcaption', {}, h('span', {}, title), h('span', { class: 'quiet' }, `most ${top}, last hour`)),
    h(
      'svg',
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${title} in the last hour, at most ${top}`,
      },
      h('line', { class: 'ground', x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1 }),
      lines.flatMap((line) => segments(line.points).map((points) => path(line.class, points, now, top))),
    ),
  );
}

/** A value holds until the next one is known. */
function path(name, points, now, top) {
  const x = (at) => Math.max(0, WIDTH * (1 - (now - at) / HOUR)).toFixed(1);
  const y = (value) => (HEIGHT - 1 - (value / top) * (HEIGHT - 4)).toFixed(1);
  const [first, ...rest] = points;
  const steps = rest.map(([at, value]) => `H${x(at)}V${y(value)}`).join('');
  return h('path', {
    class: name,
    d: `M${x(first[0])} ${y(first[1])}${steps}${points.last ? `H${WIDTH}` : ''}`,
  });
}

/** Where the queue could not be read the line is broken. */
function segments(points) {
  const all = [[]];
  for (const point of points) {
    if (point[1] === undefined) all.push([]);
    else all.at(-1).push(point);
  }
  all.at(-1).last = true;
  return all.filter(({ length }) => length > 0);
}
