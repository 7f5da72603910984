import type { Query } from './query';
import type { DnsRecord } from './state';

type Test = (record: DnsRecord) => boolean;
type Compare = (value: string, asked: string) => boolean;

const COMPARISONS: Record<string, Compare> = {
  exact: (value, asked) => value === asked,
  contains: (value, asked) => value.includes(asked),
  startswith: (value, asked) => value.startsWith(asked),
  endswith: (value, asked) => value.endsWith(asked),
};

/**
 * The test of a list's query: name, content and comment with their `.exact`, `.contains`, `.startswith` and
 * `.endswith` forms, `.present` and `.absent`, type, proxied, search and tag. All must hold, or any with `match=any`;
 * the tag filters count as one, joined by `tag_match`. Text is compared without regard to case.
 */
export function recordFilter(query: Query): Test {
  const tests: Test[] = [
    ...textTests(query, 'name', ({ name }) => name),
    ...textTests(query, 'content', ({ content }) => content),
    ...textTests(query, 'comment', ({ comment }) => comment ?? ''),
    ...presenceTests(query),
    ...query.all('type').map(
      (asked): Test =>
        ({ type }) =>
          type === asked,
    ),
    ...query.all('proxied').map(
      (asked): Test =>
        ({ proxied }) =>
          String(proxied) === asked,
    ),
    ...query.all('search').map(
      (asked): Test =>
        (record) =>
          mentions(record, asked.toLowerCase()),
    ),
  ];
  const tags = tagTests(query);
  if (tags.length > 0) tests.push(joined(tags, query.one('tag_match') === 'any'));
  return joined(tests, query.one('match') === 'any');
}

function joined(tests: Test[], any: boolean): Test {
  if (tests.length === 0) return () => true;
  return (record) => (any ? tests.some((test) => test(record)) : tests.every((test) => test(record)));
}

function textTests(query: Query, field: string, read: (record: DnsRecord) => string): Test[] {
  const test =
    (compare: Compare, asked: string): Test =>
    (record) =>
      compare(read(record).toLowerCase(), asked.toLowerCase());
  const plain = query.all(field).map((asked) => test((value, wanted) => value === wanted, asked));
  const compared = Object.entries(COMPARISONS).flatMap(([form, compare]) =>
    query.all(`${field}.${form}`).map((asked) => test(compare, asked)),
  );
  return [...plain, ...compared];
}

function presenceTests(query: Query): Test[] {
  return [
    ...query.all('comment.present').map(
      (): Test =>
        ({ comment }) =>
          comment !== null,
    ),
    ...query.all('comment.absent').map(
      (): Test =>
        ({ comment }) =>
          comment === null,
    ),
  ];
}

/** Tags are `name:value`; a comparison is of the value of the tag with the asked name. */
function tagTests(query: Query): Test[] {
  const split = (tag: string): [string, string] => {
    const [name = '', ...value] = tag.toLowerCase().split(':');
    return [name, value.join(':')];
  };
  const hasName =
    (asked: string): Test =>
    ({ tags }) =>
      tags.some((tag) => split(tag)[0] === asked.toLowerCase());
  const compared = (form: string, compare: Compare): Test[] =>
    query.all(form).map((asked) => {
      const [name, value] = split(asked);
      return ({ tags }) => tags.map(split).some(([key, held]) => key === name && compare(held, value));
    });
  return [
    ...compared('tag', (held, value) => held === value),
    ...Object.entries(COMPARISONS).flatMap(([form, compare]) => compared(`tag.${form}`, compare)),
    ...query.all('tag.present').map(hasName),
    ...query.all('tag.absent').map(
      (asked): Test =>
        (record) =>
          !hasName(asked)(record),
    ),
  ];
}

function mentions(record: DnsRecord, asked: string): boolean {
  const { name, type, content, comment, tags } = record;
  return [name, type, content, comment ?? '', ...tags].some((text) => text.toLowerCase().includes(asked));
}
