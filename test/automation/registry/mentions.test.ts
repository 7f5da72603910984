import assert from 'node:assert/strict';
import { mentions } from '../../../automation/registry/mentions';

describe('what an audit entry mentions', () => {
  const rows: [text: string, found: string[]][] = [
    ['nothing at all', []],
    ['removes ci-000a.', ['ci-000a']],
    ['{"ci-000a":["web-0001","web-0001"]}', ['ci-000a', 'web-0001']],
    ['server production-ci-000a', ['production-ci-000a', 'ci-000a']],
    ['pool gpu-large has gpu-large-00zz', ['gpu-large', 'gpu-large-00zz', 'large-00zz']],
    ['scale-in of ci-1', []],
  ];
  for (const [text, found] of rows) it(text, () => assert.deepEqual(mentions(text), found));

  it('ends with a text that is no list of workers', () => {
    const text = Array.from({ length: 5000 }, (_, serial) => `ci-${String(serial).padStart(4, '0')}`).join(
      ' ',
    );
    assert.equal(mentions(text).length, 2000);
  });
});
