import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { queueSchema } from '../../../components/model/queue-config';

const text = readFileSync(join(__dirname, '../../../docs/queues.md'), 'utf8');
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, yaml = '']) => z.object({ queue: z.unknown() }).parse(parse(yaml)).queue,
);
const kinds = queueSchema.options.map((option) => option.shape.kind.value);

describe('docs/queues.md', () => {
  it('has an example of every kind that has anything to configure, and each is valid', () => {
    const parsed = examples.map((example) => queueSchema.parse(example).kind);
    assert.deepEqual(parsed.toSorted(), kinds.filter((kind) => kind !== 'slots').toSorted());
  });

  it('says of every kind what its numbers mean', () => {
    const rows = [...text.matchAll(/^\| `([\w-]+)` +\| .* \| .* \| .* \|$/gm)].map(([, kind]) => kind);
    assert.deepEqual(rows, kinds);
  });
});
