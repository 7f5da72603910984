/** A named line of points; a single point for a policy without a knob. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [760, 440, 60, 40, 170, 50];
const COLOURS = ['#d73027', '#4575b4', '#1a9850', '#984ea3', '#ff7f00', '#666666', '#a65628', '#17becf'];

/** Cost over waiting time as an SVG that stands alone. Axes are logarithmic, so that all policies fit. */
export function paretoPlot(title: string, series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points);
  const x = axis(
    all.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axis(
    all.map((point) => point.y),
    HEIGHT - BOTTOM,
    TOP,
  );
  const bottom = HEIGHT - BOTTOM;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 20, title),
    text(LEFT, HEIGHT - 10, 'p95 wait in seconds (geometric mean over workloads); left is faster'),
    text(LEFT, TOP - 6, 'hours paid for each hour of the bound; down is cheaper'),
    ...x.ticks.map(
      (value) =>
        `${rule(x.at(value), TOP, x.at(value), bottom)}${text(x.at(value), bottom + 16, String(value))}`,
    ),
    ...y.ticks.map(
      (value) =>
        `${rule(LEFT, y.at(value), WIDTH - RIGHT, y.at(value))}${text(LEFT - 34, y.at(value) + 4, String(value))}`,
    ),
    ...series.map(({ name, points }, index) => {
      const colour = COLOURS[index % COLOURS.length]!;
      const places = points.map((point) => ({ x: round(x.at(point.x)), y: round(y.at(point.y)) }));
      const line = places.map((place) => `${place.x},${place.y}`).join(' ');
      const legend = TOP + 12 + 18 * index;
      return [
        `<polyline points="${line}" fill="none" stroke="${colour}"/>`,
        ...places.map((place) => `<circle cx="${place.x}" cy="${place.y}" r="4" fill="${colour}"/>`),
        `<circle cx="${WIDTH - RIGHT + 14}" cy="${legend - 4}" r="4" fill="${colour}"/>`,
        text(WIDTH - RIGHT + 24, legend, name),
      ].join('');
    }),
    '</svg>',
  ].join('\n')}\n`;
}

/** Ticks at 1, 2 and 5 of each power of ten that lie between the values. */
function axis(
  values: readonly number[],
  from: number,
  to: number,
): { at(value: number): number; ticks: number[] } {
  const low = Math.min(...values) / 1.1;
  const high = Math.max(...values) * 1.1;
  const ticks = [0.1, 1, 10, 100, 1000, 10_000].flatMap((power) => [power, 2 * power, 5 * power]);
  return {
    at: (value) => from + ((to - from) * Math.log(value / low)) / Math.log(high / low),
    ticks: ticks.filter((value) => value >= low && value <= high),
  };
}

function text(x: number, y: number, content: string): string {
  return `<text x="${round(x)}" y="${round(y)}">${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="#dddddd"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
