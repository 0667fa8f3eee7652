/** RelatedPersons that came in feeds: sealed beside the source record they belong to, shown with it. */
import type { RelatedPerson } from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import { parseStoredJson } from '../../fhir/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { RegistryDeps } from './deps.ts';
import type { RelatedPersons, StoredRelated } from './service.ts';

interface RelatedRow {
  readonly related_id: ResourceId;
  readonly source_id: ResourceId;
  readonly version: number;
}

const ofSources = statement<RelatedRow>(
  'registry.related-of-sources',
  `SELECT r.related_id, r.source_id, r.version FROM registry.related_person r
   JOIN registry.source s USING (source_id) WHERE r.source_id = ANY($1::uuid[]) ORDER BY r.related_id`,
);
const byId = statement<RelatedRow>(
  'registry.related-by-id',
  `SELECT r.related_id, r.source_id, r.version FROM registry.related_person r
   JOIN registry.source s USING (source_id) WHERE r.related_id = $1`,
);
const put = statement(
  'registry.put-related',
  `INSERT INTO registry.related_person (related_id, source_id, domain_id, version)
   SELECT $1, $2, s.domain_id, $3 FROM registry.source s WHERE s.source_id = $2
   ON CONFLICT (related_id) DO UPDATE SET version = excluded.version`,
);
const TYPE = 'RelatedPerson';
const encoder = new TextEncoder();

type Deps = Pick<RegistryDeps, 'database' | 'resources' | 'clock'>;

export function createRelatedPersons({ database, resources, clock }: Deps): RelatedPersons {
  async function readAll(sql: Sql, rows: readonly RelatedRow[]): Promise<StoredRelated[]> {
    const stored = await resources.read(
      sql,
      TYPE,
      rows.map((row) => row.related_id),
    );
    return rows.flatMap((row) => {
      const found = stored.get(row.related_id);
      return found ? [{ ...found, sourceId: row.source_id }] : [];
    });
  }
  return {
    async idFor(sourceId, person) {
      if (sourceId === undefined) return newId<ResourceId>();
      const known = await readAll(database, await database.rows(ofSources, [[sourceId]]));
      const same = known.find(
        ({ content }) => content !== null && isSame(parseStoredJson(content) as RelatedPerson, person),
      );
      return same?.id ?? newId<ResourceId>();
    },
    async write(tx, persons) {
      for (const { sourceId, person } of persons) {
        const rows = await tx.rows(ofSources, [[sourceId]]);
        const version = (rows.find((row) => row.related_id === person.id)?.version ?? 0) + 1;
        const nowMs = clock.nowMs();
        const meta = { versionId: String(version), lastUpdated: instant(nowMs) };
        const { resourceType, id, meta: _meta, ...rest } = person;
        const content = encoder.encode(JSON.stringify({ resourceType, id, meta, ...rest }));
        await resources.write(tx, [{ type: TYPE, id, version, lastUpdatedMs: nowMs, content, tokens: [] }]);
        await tx.run(put, [id, sourceId, version]);
      }
    },
    ofSources: async (sourceIds) =>
      sourceIds.length === 0 ? [] : await readAll(database, await database.rows(ofSources, [sourceIds])),
    read: async (id) => (await readAll(database, await database.rows(byId, [id])))[0],
  };
}

function isSame(known: RelatedPerson, person: RelatedPerson): boolean {
  const shared = (person.identifier ?? []).some(({ system, value }) =>
    known.identifier?.some((one) => one.system === system && one.value === value),
  );
  if (shared) return true;
  if (person.identifier && known.identifier) return false;
  const said = ({ name, relationship }: RelatedPerson): string =>
    canonicalJson({ name: name ?? [], relationship: relationship ?? [] });
  return said(known) === said(person);
}
