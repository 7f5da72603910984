import assert from 'node:assert/strict';
import fc from 'fast-check';
import { COMMENT_LIMIT, marker, toMarkdown } from '../../../automation/review/markdown';
import { publishedSchema } from '../../../automation/review/published-schema';
import { exitCode, type Report } from '../../../automation/review/report';
import { toText } from '../../../automation/review/text';
import published from '../../../schema/preview-report.schema.json';
import { changed, resource, unchanged } from './reports';

describe('A report as a comment', () => {
  it('begins with the marker and the verdict', () => {
    const [first, , second] = toMarkdown(unchanged).split('\n');
    assert.equal(first, marker('staging'));
    assert.equal(second, '### ✅ `staging`: nothing changes');
  });

  it('says in half a line what it comes down to', () => {
    const report = changed({
      changes: 3,
      pools: [
        {
          ...unchanged.pools[0]!,
          max: { before: 20, after: 40 },
          drift: { workers: 7, already: 2, step: 2, minutes: 10 },
        },
      ],
      resources: ['ci-0001', 'ci-0002'].flatMap((worker) => [
        resource({ action: 'create', worker, name: `${worker}-server` }),
        resource({ action: 'create', worker, kind: 'tailnet key', name: `${worker}-key` }),
      ]),
      cost: { ...unchanged.cost!, after: { hourly: 0.25, monthly: 150 } },
    });
    const headline =
      'ci may have 40 instead of 20, 2 workers would come, 5 workers would be rolled, €0.050 an hour more';
    assert.equal(toMarkdown(report).split('\n')[4], headline);
    assert.match(
      toMarkdown(report),
      /7 of 12 workers would be rolled, 2 at a time, in about 10 min; 2 of them already/,
    );
    assert.match(toMarkdown(report), /^- 2 workers ci-0001, ci-0002 created$/m);
    assert.equal(toText(report).split('\n')[2], headline);
  });

  it('shows replacements and deletions in bold, with what they take down', () => {
    const text = toMarkdown(
      changed({
        resources: [
          resource({ action: 'delete', worker: 'ci-0001', takesDown: 'worker ci-0001 and the jobs on it' }),
          resource({
            action: 'replace',
            kind: 'network',
            name: 'network',
            properties: [{ name: 'ipRange', before: '10.20.0.0/16', after: '10.30.0.0/16' }],
            takesDown: 'the private addresses of 6 workers',
          }),
          resource({ action: 'update', kind: 'DNS record', name: 'web' }),
        ],
      }),
    );
    assert.match(text, /^- \*\*worker ci-0001 deleted, with the jobs on it\*\*$/m);
    assert.match(
      text,
      /^- \*\*network network replaced, and takes down the private addresses of 6 workers\*\*$/m,
    );
    assert.match(text, /^ {2}- `ipRange: 10\.20\.0\.0\/16 → 10\.30\.0\.0\/16`$/m);
    assert.match(text, /^- DNS record web updated$/m);
  });

  it('keeps the budget out of sight while the merge has nothing to do with it', () => {
    const exceeded = ['at max, €2.00 an hour would be beyond the budget of €1.00'];
    const quiet = { ...unchanged, cost: { ...unchanged.cost!, exceeded } };
    const loud = { ...quiet, pools: [{ ...unchanged.pools[0]!, max: { before: 20, after: 40 } }] };
    const shown = (report: Report): string => toMarkdown(report).split('<details>')[0]!;
    assert.ok(!shown(quiet).includes('beyond the budget'));
    assert.ok(toMarkdown(quiet).includes('beyond the budget'));
    assert.ok(shown(loud).includes('beyond the budget'));
  });

  it('says what a greater max needs of the project, in sight only where the merge is about it', () => {
    const line = 'At max: 20 servers and 20 primary IPv4.';
    const inSight = (report: Report): boolean => toMarkdown(report).split('<details>')[0]!.includes(line);
    const [pool] = unchanged.pools;
    assert.equal(inSight(unchanged), false);
    assert.ok(toMarkdown(unchanged).includes(line));
    assert.equal(inSight(changed({ pools: [{ ...pool!, max: { before: 20, after: 12 } }] })), false);
    for (const before of [10, null])
      assert.equal(inSight(changed({ pools: [{ ...pool!, max: { before, after: 20 } }] })), true);
    assert.match(toText(unchanged), /compare with the Console under Limits/);
  });

  it('lets nobody’s words become markup, table cells or mentions', () => {
    const text = toMarkdown(
      changed({
        warnings: ['@everyone <script>alert(1)</script> | **bold** [link](https://example.com) `code`'],
      }),
    );
    assert.ok(!/@everyone|<script>|\*\*bold|\[link\]|`code`/.test(text), text);
    assert.ok(toMarkdown(changed({ faults: ['set WORKER_POOLS_ADOPT'] })).includes('WORKER_POOLS_ADOPT'));
  });

  it('never exceeds the limit, and always keeps marker, verdict and the first reason', () => {
    const many = (length: number, size: number): string[] =>
      Array.from({ length }, (_, index) => `reason ${index} ${'x'.repeat(size)}`);
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(5000), fc.nat(400), (count, size, faults) => {
        const report = changed({
          verdict: 'dangerous',
          changes: count,
          dangers: many(faults + 1, size),
          resources: Array.from({ length: count }, (_, index) =>
            resource({ action: 'delete', name: `record-${index}`, kind: 'DNS record' }),
          ),
        });
        const text = toMarkdown(report);
        assert.ok(text.length <= COMMENT_LIMIT);
        assert.ok(text.startsWith(`${marker('staging')}\n\n### ⛔ \`staging\`: dangerous (${count} change`));
        assert.ok(text.includes('reason 0'));
      }),
      { numRuns: 60 },
    );
  });
});

describe('A preview’s exit code', () => {
  for (const { verdicts, code } of [
    { verdicts: ['unchanged'], code: 0 },
    { verdicts: ['unchanged', 'changes'], code: 2 },
    { verdicts: ['changes', 'dangerous'], code: 3 },
    { verdicts: ['dangerous', 'failed', 'unchanged'], code: 1 },
  ] as const) {
    it(`of ${verdicts.join(', ')} is ${code}`, () => {
      assert.equal(exitCode(verdicts.map((verdict) => ({ verdict }))), code);
    });
  }
});

describe('The published schema', () => {
  it('is the one that reports are checked with (npx tsx schema/publish.ts writes it)', () => {
    assert.deepEqual(published, publishedSchema());
  });
});
