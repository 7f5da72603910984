import pc from 'picocolors';
import type { CatalogueView, OfferView, TypeView } from './catalogue-view';
import { table } from './table';

/** The catalogue as tables that fit 110 columns. The stack's own choices carry a `*`. */
export function catalogueText(view: CatalogueView): string {
  const addresses = [...new Set(Object.values(view.ipv4))].map((price) => price.toFixed(4)).join(' to ');
  return [
    pc.bold('Server types'),
    typeTable(view.serverTypes),
    '',
    `EUR gross${addresses === '' ? '' : `; a public IPv4 address costs ${addresses} an hour more`}. * is a placement or an image of this stack.`,
    '',
    pc.bold('Locations'),
    table(
      [{ head: 'name' }, { head: 'city' }, { head: 'network zone' }],
      view.locations.map(({ name, city, zone }) => [name, city, zone]),
    ),
    '',
    pc.bold('Images'),
    table(
      [{ head: 'name' }, { head: 'for' }, { head: 'deprecated' }],
      view.images.map(({ name, architectures, deprecated, pools }) => [
        pools.length > 0 ? pc.bold(`${name} *`) : name,
        architectures.join(', '),
        deprecated === undefined ? '' : pc.yellow(`since ${deprecated.slice(0, 10)}`),
      ]),
    ),
  ].join('\n');
}

/** One row for each price of a type: locations of one price stand together. */
function typeTable(types: readonly TypeView[]): string {
  const rows = types.flatMap((type) => {
    const prices = [...new Set(type.offers.map(({ hourly }) => hourly))].sort((a, b) => a - b);
    return prices.map((hourly) =>
      rowOf(
        type,
        type.offers.filter((offer) => offer.hourly === hourly),
      ),
    );
  });
  return table(
    [
      { head: 'type' },
      { head: 'for' },
      { head: 'cores', align: 'right' },
      { head: 'GB', align: 'right' },
      { head: 'disk', align: 'right' },
      { head: 'EUR/h', align: 'right' },
      { head: 'EUR/month', align: 'right' },
      { head: 'available now', width: 20 },
      { head: 'sold out', width: 20 },
      { head: 'ends' },
    ],
    rows,
  );
}

function rowOf(
  { name, architecture, cores, memory, disk }: TypeView,
  offers: readonly OfferView[],
): string[] {
  const list = (isAvailable: boolean): string =>
    offers
      .filter(({ available }) => available === isAvailable)
      .map(({ location, pools }) => (pools.length > 0 ? pc.bold(`${location}*`) : location))
      .join(' ');
  const ends = [...new Set(offers.flatMap(({ ends: end }) => (end === undefined ? [] : [end.slice(0, 10)])))];
  const [{ hourly, monthly }] = offers as [OfferView];
  const isOurs = offers.some(({ pools }) => pools.length > 0);
  return [
    isOurs ? pc.bold(name) : name,
    architecture,
    String(cores),
    String(memory),
    String(disk),
    hourly.toFixed(4),
    monthly.toFixed(2),
    list(true),
    pc.dim(list(false)),
    pc.yellow(ends.sort().join(' ')),
  ];
}
