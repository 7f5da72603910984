import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stackConfigSchema } from '../../components/model/config-schema';
import { configurationReference } from '../../docs/generate/configuration';
import { describeSchema, propertiesOf, rowsOf, variantsOf, type Row } from '../../docs/generate/schema-rows';

const file = join(__dirname, '../../docs/configuration.md');

function allRows(): Row[] {
  const schema = describeSchema(stackConfigSchema);
  return rowsOf(schema);
}

describe('the configuration reference', function () {
  this.timeout(60_000);

  it('is what the schema says today', async () => {
    assert.equal(
      readFileSync(file, 'utf8'),
      await configurationReference(),
      'docs/configuration.md is stale: run `npm run docs`',
    );
  });

  it('says of every key what it means', () => {
    const kinds = (row: Row): boolean => row.key.endsWith('.kind');
    const silent = allRows().filter((row) => row.meaning === '' && !kinds(row));
    assert.deepEqual(
      silent.map(({ key }) => key),
      [],
    );
  });

  it('tells types, bounds, defaults and rules as the schema has them', () => {
    const row = (key: string): Row | undefined => allRows().find((candidate) => candidate.key === key);
    assert.deepEqual(row('access.ssh.port'), {
      key: 'access.ssh.port',
      type: 'whole number, 1 to 65535',
      fallback: '22',
      isRequired: false,
      meaning: 'port that sshd listens on',
    });
    assert.deepEqual(row('pools.<name>.scaling.schedule[].days'), {
      key: 'pools.<name>.scaling.schedule[].days',
      type: 'list of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, at least 1',
      fallback: undefined,
      isRequired: true,
      meaning: 'days on which the window begins',
    });
    assert.equal(
      row('dns.zone')?.meaning,
      'zone at Cloudflare; must be a domain name in lower case, e.g. example.com',
    );
    assert.equal(row('pools.<name>.size')?.type, '`{ min, max }` or `{ fixed }`');
  });

  it('has every kind of queue', () => {
    const pools = propertiesOf(describeSchema(stackConfigSchema))['pools'];
    const pool = pools?.additionalProperties as typeof pools;
    const queue = propertiesOf(pool!)['queue'];
    const kinds = variantsOf(queue!).map((variant) => String(propertiesOf(variant)['kind']?.const));
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#### (.+)$/gm)].map(([, kind]) => kind);
    assert.deepEqual(headings, kinds);
  });
});
