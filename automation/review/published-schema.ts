import { z } from 'zod';
import { previewSchema } from './report';

/** What `worker-pools preview --format json` writes, as JSON Schema (draft 2020-12). */
export function publishedSchema(): Record<string, unknown> {
  return { title: 'worker-pools preview report', ...z.toJSONSchema(previewSchema) };
}
