import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseStackConfig } from '../../components/model/config';
import { ConfigError } from '../../components/model/errors';
import { blocks, markdownFiles, read } from './markdown';

const PREFIX = 'worker-pools:';
/** What an example leaves out because any will do. */
const REST = {
  access: { connectivity: 'tailscale', sshKeys: ['keys/ops.pub'], tags: ['tag:worker'] },
  registrationSecret: 'x'.repeat(32),
  pools: {},
};

const examples = markdownFiles().flatMap((file) =>
  blocks(read(file), 'yaml').map((text) => ({ file, text, value: parse(text) as unknown })),
);
const stackFiles = examples.flatMap(({ file, text, value }) => {
  const keys = z.record(z.string(), z.unknown()).safeParse(value).data ?? {};
  const own = Object.entries(keys).filter(([key]) => key.startsWith(PREFIX));
  if (own.length === 0) return [];
  return [
    { file, text, config: Object.fromEntries(own.map(([key, inner]) => [key.slice(PREFIX.length), inner])) },
  ];
});

describe('parts of stack files in the documentation', () => {
  it('are there in every page that teaches them', () => {
    const pages = new Set(stackFiles.map(({ file }) => file));
    for (const page of ['configuration', 'get-started', 'operations', 'recipes'])
      assert.ok(pages.has(`docs/${page}.md`), page);
    assert.ok(stackFiles.filter(({ file }) => file === 'docs/recipes.md').length >= 9);
  });

  it('are what the schema takes', () => {
    const faults = stackFiles.flatMap(({ file, text, config }) => {
      try {
        parseStackConfig('production', { ...REST, ...config });
        return [];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return [`${file}: ${text.split('\n')[0]}: ${error.message}`];
      }
    });
    assert.deepEqual(faults, []);
  });
});
