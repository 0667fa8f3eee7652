import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { LoadDeps } from './deps.ts';
import { loadProblem } from './errors.ts';
import { actorName } from './kept-actor.ts';
import type { MapDocument } from './map-document.ts';
import { ownPlace } from './owner.ts';
import { mappingContext, openJson, sealJson } from './sealing.ts';
import { deleteMapping, listMappings, saveMapping } from './store.ts';
import type { Audited } from './uploads.ts';
import type { SavedMapping } from './wire.ts';

/**
 * Mappings saved under a name, for files that come again and again: an organisation's own, and beside them those that central
 * people save for everybody.
 */
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
      const own = ownPlace(actor.principal);
      const rows = await database.rows(listMappings, [own]);
      const value = rows.map((row) => {
        const { map, updatedBy } = openJson<MappingDetail>(
          keyRing,
          row.detail,
          mappingContext(row.organisation_id, row.name),
        );
        // Who works at the centre is told to nobody else.
        const by = row.organisation_id === own ? updatedBy : 'the central administration';
        return { name: row.name, map, updatedAt: instant(row.updated_at.getTime()), updatedBy: by };
      });
      return {
        value,
        audited: await audit.recordNow([{ actor, event: 'mapping.list', action: 'R', outcome: 'success' }]),
      };
    },
    async save(actor, name, map) {
      const updatedAtMs = clock.nowMs();
      const detail: MappingDetail = { map, updatedBy: actorName(actor) };
      const own = ownPlace(actor.principal);
      const sealed = sealJson(keyRing, detail, mappingContext(own, name));
      const audited = await database.transaction(async (tx) => {
        await tx.run(saveMapping, [own, name, new Date(updatedAtMs), sealed]);
        return await audit.record(tx, [{ actor, event: 'mapping.save', action: 'U', outcome: 'success' }]);
      });
      return { value: { name, map, updatedAt: instant(updatedAtMs), updatedBy: detail.updatedBy }, audited };
    },
    async remove(actor, name) {
      const audited = await database.transaction(async (tx) => {
        const [removed] = await tx.rows(deleteMapping, [ownPlace(actor.principal), name]);
        if (removed === undefined)
          throw loadProblem('not-found', 'mapping-not-found', 'Your organisation has no mapping of this name.');
        return await audit.record(tx, [{ actor, event: 'mapping.delete', action: 'D', outcome: 'success' }]);
      });
      return { value: undefined, audited };
    },
  };
}
