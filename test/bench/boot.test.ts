import assert from 'node:assert/strict';
import { parseBlame } from '../../bench/boot/blame';
import { bootTable } from '../../bench/boot/table';

const BLAME = `1min 35.284s cloud-final.service
      8.120s dev-vda.device
       912ms cloud-init-local.service
         7us run-lock.mount
     1h 2min 3s slow.service
`;

describe('The benchmark of boots', () => {
  it('reads what systemd blames', () => {
    assert.deepEqual(parseBlame(BLAME), [
      { unit: 'cloud-final.service', seconds: 95.284 },
      { unit: 'dev-vda.device', seconds: 8.12 },
      { unit: 'cloud-init-local.service', seconds: 0.912 },
      { unit: 'run-lock.mount', seconds: 0 },
      { unit: 'slow.service', seconds: 3723 },
    ]);
  });

  it('passes over what is no line of it', () =>
    assert.deepEqual(parseBlame('Bootup is not yet finished\n\n'), []));

  it('tells cloud-init’s stages in their order, and the longest of the rest', () => {
    const { rows } = bootTable([{ pool: 'ci', ready: 120, blame: parseBlame(BLAME) }]);
    assert.deepEqual(rows, [
      [
        'ci',
        '120 s',
        'cloud-init-local 1 s, cloud-final 95 s',
        'dev-vda.device 8 s, run-lock.mount 0 s, slow 3723 s',
      ],
    ]);
  });
});
