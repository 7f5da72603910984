import assert from 'node:assert/strict';
import { slotToken } from '../../automation/http/tokens';
import {
  SECRET,
  tokenOf,
  worker,
  workerListener,
  type WorkerListener,
} from '../automation/http/worker-listener';
import { blocks, read } from './markdown';

const text = read('docs/service.md');
/** Bodies of the requests that the manual shows, by path. */
const requests = new Map(
  blocks(text, 'http').map((block) => {
    const [, path = '', body = ''] = /^POST (\S+)\n[^{]*(\{[^]*\})/m.exec(block) ?? [];
    return [path, JSON.parse(body) as { at: number }];
  }),
);
const answers = blocks(text, 'json').map((block) => JSON.parse(block) as unknown);

describe('the HTTP examples of the service’s manual', () => {
  let listener: WorkerListener;
  before(async () => {
    listener = await workerListener();
    listener.clock.now = requests.get('/v1/workers/register')!.at;
  });
  after(() => listener?.close());

  const post = async (path: string, body: object, token = tokenOf(worker)) => {
    const answer = await listener.call('POST', path, { token, body });
    return { status: answer.status, body: JSON.parse(answer.body) as unknown };
  };

  it('register a worker and send its heartbeat, with the answers that are shown', async () => {
    for (const path of ['/v1/workers/register', '/v1/workers/heartbeat']) {
      const { status, body } = await post(path, requests.get(path)!);
      assert.deepEqual([status, body], [200, { drain: false }]);
    }
    assert.deepEqual(answers.slice(0, 2), [{ drain: false }, { drain: true }]);
  });

  it('say why a set-up failed', async () => {
    const path = '/v1/workers/failed';
    assert.equal((await post(path, requests.get(path)!)).status, 200);
  });

  it('are refused in the form that is shown', async () => {
    const path = '/v1/workers/register';
    const wrong = { ...requests.get(path)!, slots: 'four', address: 'somewhere' };
    assert.deepEqual(await post(path, wrong), { status: 400, body: answers[2] });
  });

  it('ask for a slot', async () => {
    const [, body = ''] = /-d '(\{.*\})'/.exec(blocks(text, 'sh').join('\n')) ?? [];
    const token = slotToken(SECRET, { environment: 'staging', pool: 'dev' });
    const { status, body: slot } = await post('/v1/slots', JSON.parse(body) as object, token);
    assert.equal(status, 202);
    assert.deepEqual(Object.keys(slot as object), ['id', 'state', 'expiresAt']);
  });
});
