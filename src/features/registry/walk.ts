import type { ResourceId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/index.ts';
import type { MatchRecord } from '../matching/index.ts';
import { patientOf } from './content.ts';
import type { RegistryDeps } from './deps.ts';
import { matchRecordOf } from './match-record.ts';

const FIRST = '00000000-0000-0000-0000-000000000000';

const livePage = statement<{ golden_id: ResourceId }>(
  'registry.walk-live',
  `SELECT golden_id FROM registry.golden
   WHERE replaced_by IS NULL AND NOT deleted AND golden_id > $1 ORDER BY golden_id LIMIT $2`,
);

export interface WalkedClient {
  readonly id: ResourceId;
  readonly record: MatchRecord;
}

/**
 * Every client in the order of ids, page by page, as matching sees them; for work over the whole registry. Nothing is audited
 * here: whoever walks records what for, before using a page.
 */
export async function* walkClients(
  deps: Pick<RegistryDeps, 'database' | 'resources'>,
  pageSize: number,
): AsyncGenerator<readonly WalkedClient[]> {
  for (let after: string = FIRST; ; ) {
    const ids = (await deps.database.rows(livePage, [after, pageSize])).map((row) => row.golden_id);
    const last = ids.at(-1);
    if (last === undefined) return;
    const stored = await deps.resources.read(deps.database, 'Patient', ids);
    yield ids.flatMap((id) => {
      const content = stored.get(id)?.content;
      return content ? [{ id, record: matchRecordOf(patientOf(content)) }] : [];
    });
    after = last;
  }
}
