/** The versions that are kept. A version never changes: what is changed gets another name. */
import { newId, sha256 } from '../../crypto/index.ts';
import { canonicalJsonBytes } from '../../kernel/canonical-json.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { type MatchingModel, parseModel } from '../matching/index.ts';
import type { ModelsDeps } from './deps.ts';
import { modelExists, modelInvalid, modelNotFound, modelUnsound } from './errors.ts';
import type { ModelDetailKept, ModelId, ModelOrigin } from './model.ts';
import { openJson, sealJson } from './sealing.ts';
import { unsoundness } from './soundness.ts';
import { type ModelRow, store } from './store.ts';

type LibraryDeps = Pick<ModelsDeps, 'keyRing' | 'clock'>;

export function hashOf(document: MatchingModel): Uint8Array {
  return sha256(canonicalJsonBytes(document));
}

export function documentOf({ keyRing }: Pick<LibraryDeps, 'keyRing'>, row: ModelRow): MatchingModel {
  return parseModel(openJson(keyRing, 'model.document', row.model_id, row.document));
}

export function detailOf({ keyRing }: Pick<LibraryDeps, 'keyRing'>, row: ModelRow): ModelDetailKept {
  return openJson(keyRing, 'model.detail', row.model_id, row.detail);
}

/** Parses what somebody brings. Throws Problem `model-invalid` with the places. */
export function parseUploaded(document: unknown, version?: string): MatchingModel {
  try {
    return parseModel(version === undefined ? document : { ...(document as object), version });
  } catch (error) {
    throw modelInvalid(issuesOf(error));
  }
}

/** zod's issues: their paths and messages hold no value of the document. */
function issuesOf(error: unknown): { detail: string }[] {
  const issues = (error as { issues?: readonly { path: readonly PropertyKey[]; message: string }[] }).issues ?? [];
  return issues
    .slice(0, 20)
    .map(({ path, message }) => ({ detail: `${path.map(String).join('.') || 'document'}: ${message}` }));
}

export interface Added {
  readonly document: MatchingModel;
  readonly origin: ModelOrigin;
  readonly notes: string;
  readonly actor: Actor;
  /** Whom it is shown as made by, where that is not the actor. */
  readonly createdBy?: string;
}

/** Keeps a new version. Throws Problem `model-unsound` or `model-exists`. */
export async function addModel(deps: LibraryDeps, tx: Transaction, added: Added): Promise<ModelRow> {
  const reasons = unsoundness(added.document);
  if (reasons.length > 0) throw modelUnsound(reasons);
  const id = await insert(deps, tx, {
    ...added,
    createdBy: added.createdBy ?? actorName(added.actor),
    userId: userOf(added.actor),
  });
  const row = id && (await store.model(tx, id));
  if (!row) throw modelExists();
  return row;
}

async function insert(
  { keyRing, clock }: LibraryDeps,
  sql: Sql,
  what: Omit<Added, 'actor'> & { readonly createdBy: string; readonly userId: ReturnType<typeof userOf> },
): Promise<ModelId | undefined> {
  const id = newId<ModelId>();
  const detail: ModelDetailKept = { notes: what.notes, createdBy: what.createdBy };
  const isNew = await store.insertModel(sql, {
    model_id: id,
    version: what.document.version,
    origin: what.origin,
    content_hash: hashOf(what.document),
    document: sealJson(keyRing, 'model.document', id, what.document),
    detail: sealJson(keyRing, 'model.detail', id, detail),
    created_at: new Date(clock.nowMs()),
    created_by: what.userId ?? null,
  });
  return isNew ? id : undefined;
}

/**
 * The shipped model among the versions, and in force where none is. A program that brings another document under a known name keeps
 * both: the newer one is stored as `name-hash`, and nothing is promoted by itself.
 */
export async function ensureShipped(deps: ModelsDeps): Promise<ModelId | undefined> {
  const { shipped, database } = deps;
  const hash = Buffer.from(hashOf(shipped));
  const known = await store.versionOf(database, shipped.version);
  const version =
    known && !hash.equals(known.content_hash) ? `${shipped.version}-${hash.toString('hex', 0, 4)}` : shipped.version;
  const document = { ...shipped, version };
  const added = { document, origin: 'shipped' as const, notes: '', createdBy: 'Careseal', userId: undefined };
  if (!(await store.versionOf(database, version))) await insert(deps, database, added);
  const row = await store.versionOf(database, version);
  return row?.model_id;
}

export async function modelRow(sql: Sql, id: ModelId): Promise<ModelRow> {
  const row = await store.model(sql, id);
  if (!row) throw modelNotFound();
  return row;
}

export function userOf({ principal }: Actor) {
  return principal.kind === 'user' ? principal.userId : undefined;
}

/** Who did it, as it is shown later. */
export function actorName({ principal }: Actor): string {
  if (principal.kind === 'user') return principal.displayName;
  return principal.kind === 'operator' ? principal.osUser : 'Careseal';
}
