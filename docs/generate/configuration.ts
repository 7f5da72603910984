import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { poolSchema, stackConfigSchema } from '../../components/model/config-schema';
import { queueSchema } from '../../components/model/queue-config';
import { EXAMPLES } from './configuration-examples';
import { describeSchema, propertiesOf, rowsOf, variantsOf, type Row } from './schema-rows';

const HEAD = `# Configuration

<!-- Made by \`npm run docs\` from components/model/config-schema.ts; edit that. -->

Everything that one environment is stands in \`Pulumi.<stack>.yaml\`, under keys that begin with \`worker-pools:\`. The file is
checked whole: an unknown key, a wrong value or a contradiction stops the run before anything is changed, every fault is
told in one go, and the service goes on with the file from before.

- Durations are seconds, money is EUR with VAT, times of day are of the named time zone.
- **Secrets** are set with \`pulumi config set --secret\`, e.g. \`pulumi config set --secret --path 'worker-pools:pools.ci.queue.url'\`: the value is asked for, and the file holds it encrypted.
- An edit reaches running workers never by itself: see [what an edit does](concepts.md#template-stamp-drift).

Beside these keys the file has the vendors' own:

| key | meaning |
| --- | --- |
| \`hcloud:token\` | Hetzner Cloud API token, read and write, of this environment's project; a secret |
| \`hcloud:pollInterval\`, \`hcloud:pollFunction\` | how the provider waits for Hetzner's actions: \`2s\` and \`constant\` in the examples; \`8s\` saves calls, see [limits](operations.md#limits) |
| \`tailscale:oauthClientId\`, \`tailscale:oauthClientSecret\` | OAuth client with the scopes \`auth_keys\` and \`devices:core\` and the workers' tags; secrets |
| \`cloudflare:apiToken\` | token with Zone:Read and DNS:Edit on the zone; a secret; only with \`dns\` |

`;

/** `docs/configuration.md`, formatted as the repository's other files are. */
export async function configurationReference(): Promise<string> {
  const file = join(__dirname, '..', 'configuration.md');
  const sections = Object.entries(propertiesOf(describeSchema(stackConfigSchema))).map(([key, schema]) => {
    const required = describeSchema(stackConfigSchema).required?.includes(key) ? ' Required.' : '';
    const text = schema.description === undefined ? '' : `${sentence(schema.description)}`;
    const intro = `## worker-pools:${key}\n\n${text}${required}\n\n${example(key)}`;
    if (key === 'pools') return `${intro}${poolTables()}`;
    const variants = variantsOf(schema).filter(({ properties }) => properties);
    const tables = variants.map((variant) => table(rowsOf(variant)));
    return `${intro}${tables.join('\nor\n\n')}`;
  });
  return format(HEAD + sections.join('\n'), { ...(await resolveConfig(file)), filepath: file });
}

function poolTables(): string {
  const rows = rowsOf(describeSchema(poolSchema), (key) => key === 'queue');
  return [
    'A pool has a name of at most 24 lower-case letters, digits and single hyphens, and these keys.\n\n',
    table(rows),
    '\n### queue\n\nOne of these kinds; what each tells and needs: [queues.md](queues.md).\n\n',
    ...variantsOf(describeSchema(queueSchema)).map((variant) => {
      const kind = String(propertiesOf(variant)['kind']!.const);
      const own = rowsOf(variant, (key) => key === 'tls').filter(({ key }) => key !== 'kind');
      const body =
        own.length === 0 ? 'Nothing to configure: the service keeps this queue itself.\n' : table(own);
      return `#### ${kind}\n\n${body}\n`;
    }),
    '### tls\n\n',
    table(rowsOf(propertiesOf(variantsOf(describeSchema(queueSchema))[0]!)['tls']!)),
  ].join('');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ key, type, fallback, isRequired, meaning }) => {
    const value = fallback === undefined ? (isRequired ? '**required**' : '–') : `\`${fallback}\``;
    return `| \`${key}\` | ${type} | ${value} | ${escaped(meaning)} |`;
  });
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

function example(key: string): string {
  const yaml = EXAMPLES[key];
  return yaml === undefined ? '' : `\`\`\`yaml\n${yaml.trim()}\n\`\`\`\n\n`;
}

/** Outside of code, what Markdown would take for markup stands for itself. */
function escaped(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(/[<*_|]/g, '\\$&')))
    .join('');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${escaped(text.slice(1))}.`;
}
