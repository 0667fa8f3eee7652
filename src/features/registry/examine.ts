/** What does not hold together about a person: rows, bindings, seals. For going over the whole registry (check.ts, repair.ts). */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { domainsOf, storedFits } from './altered.ts';
import { patientOf } from './content.ts';
import type { DomainTable } from './deps.ts';
import { memberOf } from './golden-binding.ts';
import { type Held, readHeld } from './newest.ts';
import { opensRecord } from './records.ts';
import type { RoundDeps } from './round-loading.ts';
import { readSourcesOfGoldens, type SourceRow, type StoredGolden } from './store.ts';

/** In words: FAULT_WORDS. */
export type FaultKind =
  | 'altered'
  | 'unbound'
  | 'domain-altered'
  | 'row-missing'
  | 'content-missing'
  | 'content-broken'
  | 'content-version'
  | 'successor-differs'
  | 'records-differ'
  | 'match-record-broken'
  | 'record-lost';

export interface Fault {
  readonly kind: FaultKind;
  /** The client, or the source record. */
  readonly id: ResourceId;
}

export const FAULT_WORDS: Readonly<Record<FaultKind, string>> = {
  altered: 'its row does not fit its binding: whose it is, or which records stand for it, was changed',
  unbound: 'its row has no binding: somebody took it away, or made the row',
  'domain-altered': 'it has records of a domain that was changed',
  'row-missing': 'its content is there, its row was deleted',
  'content-missing': 'its content was deleted',
  'content-broken': 'its content does not open',
  'content-version': 'its content is of another version than its row',
  'successor-differs': 'its row says otherwise than its content whether it was merged or deleted',
  'records-differ': 'its row has other records than its content names',
  'match-record-broken': 'what it is compared by does not open',
  'record-lost': 'it belongs to no client',
};

export interface PersonFaults {
  readonly goldenId: ResourceId;
  readonly faults: readonly Fault[];
}

/** Those of the persons that do not hold together. Rows and contents are read one after the other: ask again under the lock. */
export async function examine(deps: RoundDeps, sql: Sql, rows: readonly StoredGolden[]): Promise<PersonFaults[]> {
  const ids = rows.map((row) => row.golden_id);
  const sources = await readSourcesOfGoldens(sql, ids);
  const held = await readHeld(deps, sql, [...ids, ...sources.map((row) => row.source_id)]);
  const domains = await domainsOf(
    deps,
    sources.map((row) => row.domain_id),
  );
  const bySource = Map.groupBy(sources, (row) => row.golden_id);
  return rows.flatMap((row) => {
    const own = bySource.get(row.golden_id) ?? [];
    const faults = [
      ...ofRow(deps, row, domains),
      ...ofContent(row, held.get(row.golden_id)),
      ...own.flatMap((source) => ofSource(deps, source, held.get(source.source_id))),
    ];
    return faults.length === 0 ? [] : [{ goldenId: row.golden_id, faults }];
  });
}

function ofRow(deps: RoundDeps, row: StoredGolden, domains: DomainTable): Fault[] {
  const fault = (kind: FaultKind): Fault[] => [{ kind, id: row.golden_id }];
  if (storedFits(deps, row, domains)) return [];
  if (row.binding === null) return fault('unbound');
  const ofAltered = row.members.some((text) => domains.byId(memberOf(text).domainId)?.altered === true);
  return fault(ofAltered ? 'domain-altered' : 'altered');
}

function ofContent(row: StoredGolden, held: Held): Fault[] {
  const fault = (kind: FaultKind): Fault[] => [{ kind, id: row.golden_id }];
  if (held === undefined) return fault('content-missing');
  if (held === 'broken') return fault('content-broken');
  if (held.version !== row.version) return fault('content-version');
  const says = saidBy(held.content === null ? undefined : patientOf(held.content));
  if (says.deleted !== row.deleted || says.replacedBy !== (row.replaced_by ?? undefined))
    return fault('successor-differs');
  const members = new Set<string>(row.members.map((text) => memberOf(text).id));
  return members.symmetricDifference(new Set<string>(says.members)).size > 0 ? fault('records-differ') : [];
}

function ofSource(deps: RoundDeps, row: SourceRow, held: Held): Fault[] {
  const { source_id: id } = row;
  if (held === undefined) return [{ kind: 'content-missing', id }];
  if (held === 'broken') return [{ kind: 'content-broken', id }];
  if (held.content === null) return [{ kind: 'content-missing', id }];
  if (held.version !== row.version) return [{ kind: 'content-version', id }];
  return opensRecord(deps.keyRing, row) ? [] : [{ kind: 'match-record-broken', id }];
}

/** What the sealed content of a golden record says of itself. */
export interface GoldenSays {
  readonly deleted: boolean;
  readonly replacedBy?: ResourceId;
  readonly members: readonly ResourceId[];
}

export function saidBy(patient: Patient | undefined): GoldenSays {
  const links = (patient?.link ?? []).map(({ type, other }) => ({
    type,
    // Written by survivorship.ts and golden.ts; the seal vouches for the shape.
    id: (other.reference ?? '').slice('Patient/'.length) as ResourceId,
  }));
  const successor = links.find(({ type }) => type === 'replaced-by')?.id;
  return {
    deleted: patient === undefined,
    ...(successor === undefined ? {} : { replacedBy: successor }),
    members: links.filter(({ type }) => type !== 'replaced-by').map(({ id }) => id),
  };
}
