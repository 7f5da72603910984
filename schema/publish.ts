import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedSchema } from '../automation/review/published-schema';

// npx tsx schema/publish.ts
writeFileSync(
  join(__dirname, 'preview-report.schema.json'),
  `${JSON.stringify(publishedSchema(), null, 2)}\n`,
);
