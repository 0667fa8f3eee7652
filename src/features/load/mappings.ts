import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { LoadDeps } from './deps.ts';
import { loadProblem } from './errors.ts';
import { actorName } from './kept-actor.ts';
import type { MapDocument } from './map-document.ts';
import { mappingContext, openJson, sealJson } from './sealing.ts';
import { deleteMapping, listMappings, saveMapping } from './store.ts';
import type { Audited } from './uploads.ts';
import type { SavedMapping } from './wire.ts';

/** Mappings saved under a name, for files that come again and again. */
export interface Mappings {
  list(actor: Actor): Promise<Audited<SavedMapping[]>>;
  save(actor: Actor, name: string, map: MapDocument): Promise<Audited<SavedMapping>>;
  remove(actor: Actor, name: string): Promise<Audited<void>>;
}

interface MappingDetail {
  readonly map: MapDocument;
  readonly updatedBy: string;
}

export function createMappings(deps: LoadDeps): Mappings {
  const { database, keyRing, audit, clock } = deps;
  return {
    async list(actor) {
      const rows = await database.rows(listMappings);
      const value = rows.map((row) => {
        const { map, updatedBy } = openJson<MappingDetail>(keyRing, row.detail, mappingContext(row.name));
        return { name: row.name, map, updatedAt: instant(row.updated_at.getTime()), updatedBy };
      });
      return {
        value,
        audited: await audit.recordNow([{ actor, event: 'mapping.list', action: 'R', outcome: 'success' }]),
      };
    },
    async save(actor, name, map) {
      const updatedAtMs = clock.nowMs();
      const detail: MappingDetail = { map, updatedBy: actorName(actor) };
      const audited = await database.transaction(async (tx) => {
        await tx.run(saveMapping, [name, new Date(updatedAtMs), sealJson(keyRing, detail, mappingContext(name))]);
        return await audit.record(tx, [{ actor, event: 'mapping.save', action: 'U', outcome: 'success' }]);
      });
      return { value: { name, map, updatedAt: instant(updatedAtMs), updatedBy: detail.updatedBy }, audited };
    },
    async remove(actor, name) {
      const audited = await database.transaction(async (tx) => {
        const [removed] = await tx.rows(deleteMapping, [name]);
        if (removed === undefined)
          throw loadProblem('not-found', 'mapping-not-found', 'There is no mapping of this name.');
        return await audit.record(tx, [{ actor, event: 'mapping.delete', action: 'D', outcome: 'success' }]);
      });
      return { value: undefined, audited };
    },
  };
}
