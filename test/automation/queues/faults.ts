import assert from 'node:assert/strict';
import { openQueue } from '../../../automation/observe/queues';
import { QueueError, type QueueReading } from '../../../automation/observe/queues/types';
import { never, type OpenConfig } from './contract';

/** Reads once with a source of its own. */
export async function readOnce(config: OpenConfig, signal = never): Promise<QueueReading> {
  const source = openQueue(config, { directory: '/nowhere' });
  try {
    return await source.read(signal);
  } finally {
    await source.close();
  }
}

export async function assertFault(config: OpenConfig, kind: QueueError['kind'], says: RegExp): Promise<void> {
  await assert.rejects(readOnce(config), (error) => {
    assert.ok(error instanceof QueueError, String(error));
    assert.match(error.message, says);
    assert.equal(error.kind, kind, error.message);
    return true;
  });
}
