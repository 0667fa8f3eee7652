import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dumpSchema } from '../../src/platform/db/index.ts';
import { testDatabase } from '../support/database.ts';

it('the migrations make the schema that migrations/schema.sql shows (npm run schema writes it)', async () => {
  const db = await testDatabase();
  try {
    const dump = await dumpSchema(db.ownerConnection);
    await expect(dump).toMatchFileSnapshot(join(import.meta.dirname, '../../migrations/schema.sql'));
  } finally {
    await db.close();
  }
});
