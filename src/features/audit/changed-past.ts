import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { AuditInput } from './model.ts';

/** A row that is not as Careseal wrote it. */
export interface ChangedPast {
  readonly what:
    | 'client'
    | 'domain'
    | 'share'
    | 'related-person'
    | 'model'
    | 'history'
    | 'alert'
    | 'recipients'
    | 'notice';
  readonly id: string;
  /** `Patient/<id>` of the client concerned. */
  readonly patient?: string;
}

/** Said again after so long, while the row stays as it is. */
const AGAIN_AFTER_MS = 3_600_000;
/** More rows than this at once are one attack, not so many messages. */
const REMEMBERED_MAX = 1_000;

/**
 * Writes down, once an hour for each, that a row was changed past Careseal. Never holds up who found it; what could not be written is
 * written at the next look.
 */
export function createChangedPast(deps: {
  readonly audit: { recordNow(inputs: readonly AuditInput[]): Promise<unknown> };
  readonly clock: Clock;
}): (row: ChangedPast) => void {
  const told = new Map<string, number>();
  return ({ what, id, patient }) => {
    const nowMs = deps.clock.nowMs();
    const key = `${what} ${id}`;
    const lastMs = told.get(key);
    if (lastMs !== undefined && nowMs - lastMs < AGAIN_AFTER_MS) return;
    if (told.size >= REMEMBERED_MAX) told.clear();
    told.set(key, nowMs);
    const input: AuditInput = {
      ...{ actor: SYSTEM, event: 'registry.changed', action: 'E', outcome: 'serious-failure', detail: { what, id } },
      ...(patient === undefined ? {} : { patients: [patient] }),
    };
    deps.audit.recordNow([input]).catch(() => told.delete(key));
  };
}

const SYSTEM: Actor = {
  principal: { kind: 'system', permissions: new Set() },
  origin: { door: 'background', requestId: 'bindings' },
};
