import assert from 'node:assert/strict';
import { idleRows } from './command-table';
import { markdownFiles, read } from './markdown';
import { commandsOf, shownIn } from './shell-commands';

describe('commands in a page', () => {
  it('have all their lines, and no comments', () => {
    const script = [
      '# First',
      'one --flag   # why',
      'two \\',
      '  --more',
      `three -d '{"a": 1,`,
      `  "b": "# none"}' http://host/#anchor`,
      '',
    ].join('\n');
    assert.deepEqual(commandsOf(script), [
      'one --flag',
      'two \\\n  --more',
      `three -d '{"a": 1,\n  "b": "# none"}' http://host/#anchor`,
    ]);
  });

  it('are those of blocks and of spans, in their order; YAML is a file', () => {
    const page = [
      'Say `npm run a`, not `npm` or `pools.ci`:',
      '',
      '1. so:',
      '',
      '   ```sh',
      '   b --now',
      '   ```',
      '',
      '```yaml',
      'key: value',
      '```',
      '',
      '```console',
      '$ c',
      'its answer',
      '```',
      '',
      'and `git pull`.',
    ].join('\n');
    assert.deepEqual(
      shownIn(page).map(({ kind, text }) => `${kind}: ${text.trim()}`),
      ['span: npm run a', 'block: b --now', 'file: key: value', 'block: c', 'span: git pull'],
    );
  });

  it('need every row of the table that says how they are run', () => {
    const shown = markdownFiles().flatMap((page) => shownIn(read(page)).map(({ text }) => ({ page, text })));
    assert.deepEqual(idleRows(shown), []);
  });
});
