import assert from 'node:assert/strict';
import { createMetrics } from '../../automation/http/metrics';
import { between, firstCells, read, sources } from './markdown';

const operations = read('docs/operations.md');
const service = read('docs/service.md');
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap((found) => found.slice(1).filter((name) => name !== undefined));

describe('the operations manual', () => {
  it('has every alarm’s code that the source can raise, and no other', () => {
    const code = sources('automation').filter(({ file }) =>
      /^automation\/(decide\/|observe\/|[a-z-]+\.ts)/.test(file),
    );
    const raised = code.flatMap(({ text }) => [
      ...all(text, /\bcode: (?:\w+ \? )?'([a-z]+(?:-[a-z]+)*)'(?: : '([a-z]+(?:-[a-z]+)*)')?/g),
      ...all(text, /\balarm\(\s*'([a-z]+(?:-[a-z]+)*)'/g),
    ]);
    assert.ok(raised.length > 15);
    const told = all(between(operations, 'alarms'), /^#### ([a-z-]+)$/gm);
    assert.deepEqual(told.toSorted(), sorted(raised));
  });

  it('says of every alarm what the service does and what a person does', () => {
    const chapters = between(operations, 'alarms')
      .split(/^#### /m)
      .slice(1);
    const lacking = chapters.filter(
      (text) =>
        !/^(Critical|Warning)/m.test(text) || !text.includes('**By itself**') || !text.includes('**You**'),
    );
    assert.deepEqual(lacking, []);
  });

  it('has every event of the log, and no other', () => {
    const logged = sources('automation').flatMap(({ text }) =>
      all(text, /\blog\.(?:debug|info|warn|error)\(\s*'([a-z]+(?:-[a-z]+)*)'/g),
    );
    assert.ok(logged.length > 15);
    assert.deepEqual(firstCells(between(operations, 'events')).toSorted(), sorted(logged));
  });

  it('has every metric with its labels, and no other', () => {
    const { registry } = createMetrics();
    const metrics = registry.getMetricsAsArray() as unknown as { name: string; labelNames: string[] }[];
    const rows = [...between(operations, 'metrics').matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)];
    assert.deepEqual(
      rows.map(([, name, labels]) => `${name}: ${labels}`).toSorted(),
      metrics.map(({ name, labelNames }) => `${name}: ${labelNames.join(', ') || '–'}`).toSorted(),
    );
  });
});

describe('the service’s manual', () => {
  it('has every reason of a refusal, and no other', () => {
    const given = sources('automation/http').flatMap(({ text }) => [
      ...all(text, /new Refusal\(\s*\d+,\s*'([a-z-]+)'/g),
      ...all(text, /throw notFound\('([a-z]+)'/g).map((what) => `unknown-${what}`),
    ]);
    assert.ok(given.length > 15);
    assert.deepEqual(firstCells(between(service, 'reasons')).toSorted(), sorted(given));
  });

  it('has every route, and no other', () => {
    const routes = sources('automation/http').flatMap(({ text }) =>
      [...text.matchAll(/\.(get|post|delete)\(\s*'(\/v1\/[^']+)'/g)].map(
        ([, method = '', path = '']) => `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '<$1>')}`,
      ),
    );
    const told = all(service, /\b((?:GET|POST|DELETE) \/v1\/[\w/<>-]+)/g);
    assert.deepEqual(sorted(told), sorted(routes));
  });
});
