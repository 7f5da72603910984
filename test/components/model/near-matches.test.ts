import assert from 'node:assert/strict';
import fc from 'fast-check';
import { didYouMean, nearMatches } from '../../../components/model/near-matches';

const types = ['cx23', 'cx33', 'cx43', 'cpx32', 'cax11', 'ccx13'];

describe('near matches', () => {
  const rows: [string, string[], string[]][] = [
    ['cx32', types, ['cpx32', 'cx33', 'cx23']],
    ['CX33', types, ['cx33', 'cx23', 'cx43']],
    ['placement', ['size', 'placements', 'image'], ['placements']],
    ['fns1', ['fsn1', 'nbg1', 'hel1'], ['fsn1']],
    ['kubernetes', types, []],
    ['x', [], []],
  ];
  for (const [word, candidates, expected] of rows) {
    it(`"${word}" is near ${expected.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(nearMatches(word, candidates), expected);
    });
  }

  it('reads as a question, or as nothing', () => {
    assert.equal(didYouMean('cx32', ['cx33', 'cx23']), ' Did you mean "cx33" or "cx23"?');
    assert.equal(didYouMean('fns1', ['fsn1', 'ash']), ' Did you mean "fsn1"?');
    assert.equal(didYouMean('kubernetes', types), '');
  });

  it('never suggests what was written, nor one thing twice', () => {
    assert.equal(didYouMean('max', ['min', 'max', 'fixed']), ' Did you mean "min"?');
    assert.equal(didYouMean('que', ['query', 'queue', 'query']), ' Did you mean "query" or "queue"?');
  });

  it('law: at most three, each a candidate, in an order that does not depend on theirs', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(word, fc.uniqueArray(word), (given, candidates) => {
        const found = nearMatches(given, candidates);
        assert.ok(found.length <= 3);
        assert.ok(found.every((match) => candidates.includes(match)));
        assert.deepEqual(nearMatches(given, [...candidates].reverse()), found);
      }),
    );
  });
});
