import assert from 'node:assert/strict';
import * as prettier from 'prettier';
import { MarkerError, replaceBetweenMarkers } from '../../bench/report/document';
import { seconds, slope, spread } from '../../bench/report/statistics';
import { toMarkdown, toText, type Table } from '../../bench/report/table';

describe('statistics', () => {
  for (const [values, expected] of [
    [[5], { median: 5, min: 5, max: 5 }],
    [[3, 1, 20], { median: 3, min: 1, max: 20 }],
    [[10, 9, 2, 1], { median: 5.5, min: 1, max: 10 }],
  ] as const) {
    it(`of ${values.join(', ')}`, () => assert.deepEqual(spread(values), expected));
  }

  it('of nothing are refused', () => assert.throws(() => spread([]), RangeError));

  it('show the ends only where there is more than one measurement', () => {
    assert.equal(seconds([1234]), '1.23 s');
    assert.equal(seconds([1000, 2000, 4000]), '2.00 s (1.0–4.0)');
  });

  it('a slope leaves the fixed part out', () => {
    assert.equal(
      slope([
        { x: 10, y: 1100 },
        { x: 300, y: 30100 },
      ]),
      100,
    );
    assert.throws(() => slope([{ x: 10, y: 1 }]), RangeError);
  });
});

describe('tables', () => {
  const table: Table = {
    title: 'Times',
    note: 'How long.',
    head: ['workers', 'a|b'],
    rows: [
      ['10', '1 s'],
      ['100', '12.5 s'],
    ],
  };

  it('as Markdown are padded, with bars escaped', () => {
    assert.equal(
      toMarkdown(table),
      [
        '### Times',
        '',
        'How long.',
        '',
        '| workers | a\\|b   |',
        '| ------- | ------ |',
        '| 10      | 1 s    |',
        '| 100     | 12.5 s |',
      ].join('\n'),
    );
  });

  it('as Markdown are what the formatter would make of them', async () => {
    const text = `${toMarkdown({ ...table, head: ['−1 ×', 'b'] })}\n`;
    assert.equal(await prettier.format(text, { parser: 'markdown' }), text);
  });

  it('as text have every cell', () => {
    const text = toText(table);
    for (const cell of [table.title, 'How long.', ...table.head, ...table.rows.flat()])
      assert.ok(text.includes(cell), cell);
  });
});

describe('a document with markers', () => {
  const document = 'before\n<!-- begin: engine -->\nold\n<!-- end: engine -->\nafter\n';

  it('gets what is between them replaced, and nothing else', () => {
    const replaced = replaceBetweenMarkers(document, 'engine', '\nnew $& text\n');
    assert.equal(replaced, 'before\n<!-- begin: engine -->\n\nnew $& text\n\n<!-- end: engine -->\nafter\n');
    assert.equal(replaceBetweenMarkers(replaced, 'engine', 'new $& text'), replaced);
  });

  for (const [fault, text] of [
    ['no begin', 'a <!-- end: engine -->'],
    ['no end', '<!-- begin: engine -->'],
    ['two begins', `<!-- begin: engine -->${document}`],
    ['the wrong order', '<!-- end: engine --><!-- begin: engine -->'],
    ['another name', document.replaceAll('engine', 'policy')],
  ] as const) {
    it(`with ${fault} is left alone`, () =>
      assert.throws(() => replaceBetweenMarkers(text, 'engine', 'new'), MarkerError));
  }
});
