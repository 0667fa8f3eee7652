import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Audit } from '../audit/index.ts';
import type { RowBinder } from './row-binding.ts';
import type { BoundRow } from './row-facts.ts';

/** Said again after so long, while the row stays as it is. */
const AGAIN_AFTER_MS = 3_600_000;
/** More rows than this at once are one attack, not so many messages. */
const REMEMBERED_MAX = 1_000;

/** Writes down, once an hour for each, that a row is not as Careseal wrote it. Never holds up who found it. */
export function reportChangedRows(
  rows: RowBinder,
  deps: { readonly audit: Audit; readonly clock: Clock; readonly onFailure: (error: unknown) => void },
): void {
  const told = new Map<string, number>();
  rows.onChanged((row) => {
    const nowMs = deps.clock.nowMs();
    const key = `${row.kind} ${row.id}`;
    const lastMs = told.get(key);
    if (lastMs !== undefined && nowMs - lastMs < AGAIN_AFTER_MS) return;
    if (told.size >= REMEMBERED_MAX) told.clear();
    told.set(key, nowMs);
    void deps.audit
      .recordNow([
        {
          ...{ actor: SYSTEM, event: 'identity.changed', action: 'E', outcome: 'serious-failure' },
          detail: { what: row.kind, id: row.id },
          ...entitiesOf(row),
        },
      ])
      .catch(deps.onFailure);
  });
}

/** Whom it concerns, where it is somebody. */
function entitiesOf({ kind, id }: Pick<BoundRow, 'kind' | 'id'>) {
  const isAccount = kind === 'account' || kind === 'credentials' || kind === 'membership';
  return isAccount ? { entities: [{ reference: `User/${id.split(' ')[0]}`, role: 'user' as const }] } : {};
}

const SYSTEM: Actor = {
  principal: { kind: 'system', permissions: new Set() },
  origin: { door: 'background', requestId: 'bindings' },
};
