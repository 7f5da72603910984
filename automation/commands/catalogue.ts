import { Command, Option } from 'commander';
import { ConfigError } from '../../components/model/errors';
import { didYouMean } from '../../components/model/near-matches';
import { openVendors } from '../observe/vendors';
import { catalogueText } from './catalogue-text';
import { catalogueView, type CatalogueFilter } from './catalogue-view';
import { openSettings, withStackOptions, type StackFlags } from './opened-stack';

const HELP = `
Read from Hetzner each time, with the stack's token; the service need not run.

  $ worker-pools catalogue --stack staging --location fsn1 --arch arm

With --json: { "at", "locations": [{ "name", "city", "zone" }],
"serverTypes": [{ "name", "architecture", "cores", "memory", "disk", "offers": [{ "location", "available", "hourly",
"monthly", "ends"?, "pools" }] }], "images": [{ "name", "architectures", "deprecated"?, "pools" }], "ipv4": { location: EUR/h } }
`;

/** What Hetzner offers, what of it can be had now, and what it costs. */
export function catalogueCommand(): Command {
  return withStackOptions(
    new Command('catalogue').description(
      'locations, server types and images: what can be had now, at which price, and until when',
    ),
  )
    .option('--location <name>', 'of this location only, e.g. fsn1')
    .addOption(new Option('--arch <architecture>', 'for this architecture only').choices(['x86', 'arm']))
    .addHelpText('after', HELP)
    .action(async (options: StackFlags & { location?: string; arch?: CatalogueFilter['architecture'] }) => {
      const { location, arch } = options;
      const settings = await openSettings(options);
      const { catalogue } = openVendors(settings.environment, settings, () => Date.now() / 1000);
      const read = await catalogue.read(0);
      checkLocation(
        location,
        read.locations.map(({ name }) => name),
      );
      const filter = {
        ...(location === undefined ? {} : { location }),
        ...(arch === undefined ? {} : { architecture: arch }),
      };
      const view = catalogueView(read, settings.config, filter);
      process.stdout.write(`${options.json ? JSON.stringify(view) : catalogueText(view)}\n`);
    });
}

function checkLocation(location: string | undefined, names: readonly string[]): void {
  if (location === undefined || names.includes(location)) return;
  const message = `Hetzner has no location "${location}".${didYouMean(location, names)} There are: ${names.join(', ')}.`;
  throw new ConfigError([{ path: '--location', message }], 'Nothing is listed.');
}
