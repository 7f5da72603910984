import assert from 'node:assert/strict';
import { INITIAL_STACK_MEMORY, parseStackMemory } from '../../automation/decide/memory';
import { NOW } from './worlds';
import { decideCi, facts, KNOWING, queue, view } from './stack-worlds';

const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the memory of the stack’s decisions', () => {
  it('is read back as it was stored', () => {
    const { memory } = decideCi(
      facts([view('a')], {
        queue: queue(3, 20),
        failures: (['limit', 'sold-out'] as const).map((kind) => ({
          placement: { serverType: 'cx33', location: 'fsn1' },
          kind,
        })),
      }),
      { memory: { policy: { ...KNOWING.policy, probedAt: NOW } } },
    );
    assert.deepEqual(parseStackMemory(stored(memory)), memory);
    assert.deepEqual(parseStackMemory(stored(INITIAL_STACK_MEMORY)), INITIAL_STACK_MEMORY);
  });

  it('leaves out the pool that is not understood', () => {
    assert.deepEqual(
      parseStackMemory(stored({ pools: { ci: KNOWING, web: { policy: { tolerance: 'two' } } } })),
      {
        pools: { ci: KNOWING },
      },
    );
  });

  for (const value of [undefined, null, 'x', { pools: 3 }])
    it(`is none where ${JSON.stringify(value)} was stored`, () =>
      assert.equal(parseStackMemory(value), undefined));
});
