import type { ResourceId } from '../../kernel/ids.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { Sql } from '../../platform/db/sql.ts';
import type { ResourceStore } from '../../store/index.ts';
import { kindOf, patientOf } from './content.ts';
import { clientDeleted, clientNotFound, goldenIsComputed } from './problems.ts';

/** Why a record that no source row knows cannot be changed. */
export async function golden404(resources: ResourceStore, sql: Sql, id: ResourceId): Promise<Problem> {
  const stored = (await resources.read(sql, 'Patient', [id])).get(id);
  if (!stored) return clientNotFound();
  if (stored.content === null) return clientDeleted();
  return kindOf(patientOf(stored.content)) === 'golden' ? goldenIsComputed() : clientNotFound();
}
