import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { anchors, markdownFiles, prose, read, ROOT } from './markdown';

interface Link {
  readonly from: string;
  readonly target: string;
}

const links: Link[] = markdownFiles().flatMap((from) =>
  [...prose(read(from).replaceAll(/\[`[^`\n]*`\]/g, '[code]')).matchAll(/\]\(<?([^)\s>]+)>?\)/g)].map(
    ([, target = '']) => ({ from, target }),
  ),
);
const inside = links.filter(({ target }) => !/^[a-z]+:/.test(target));

describe('links in the documentation', () => {
  it('lead to files that are there', () => {
    assert.ok(inside.length > 50, 'hardly any link was found');
    const dead = inside.filter(({ from, target }) => {
      const [path = ''] = target.split('#');
      return path !== '' && !existsSync(join(ROOT, dirname(from), path));
    });
    assert.deepEqual(dead, []);
  });

  it('lead to headings that are there', () => {
    const dead = inside.filter(({ from, target }) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? from : normalize(join(dirname(from), path));
      if (anchor === undefined || !file.endsWith('.md') || !existsSync(join(ROOT, file))) return false;
      return !anchors(read(file)).has(anchor);
    });
    assert.deepEqual(dead, []);
  });

  it('reach every page from the index', () => {
    const linked = inside
      .filter(({ from }) => from === 'docs/README.md')
      .map(({ target }) => normalize(join('docs', target.split('#')[0]!)));
    const pages = markdownFiles().filter((file) => file.startsWith('docs/') && file !== 'docs/README.md');
    assert.deepEqual(
      pages.filter((page) => !linked.includes(page)),
      [],
    );
  });
});
