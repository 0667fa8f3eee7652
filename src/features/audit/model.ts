import type { Branded } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditEventName } from './events.ts';

/**
 * What happened, in Careseal's terms; `features/audit` turns it into a FHIR R4 AuditEvent in the shape of IHE BALP 1.1.
 * Carries ids and search parameters, never a result's content.
 */
export interface AuditInput {
  readonly actor: Actor;
  /** Dotted name as in the golden route list: `client.read`, `sign-in.code`, `review.decide`, `node.add`. */
  readonly event: AuditEventName;
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly outcome: 'success' | 'minor-failure' | 'serious-failure';
  /** FHIR interaction for REST events: read, vread, search, create, update, delete, history, operation name … */
  readonly interaction?: string;
  /** Patients concerned; a search with n patients in its result becomes n AuditEvents (IHE BALP). */
  readonly patients?: readonly string[]; // `Patient/<id>`
  /** Other resources or objects touched: `Review/…`, `Node/…`, `User/…`, `Load/…`. */
  readonly entities?: readonly AuditEntity[];
  /** Raw search request (path and query or body); base64 in entity.query. */
  readonly query?: string;
  /** A plain-word reason given by the user, or the refusal's problem code. */
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, string>>;
}

export interface AuditEntity {
  readonly reference: string;
  readonly role?: 'patient' | 'report' | 'domain-resource' | 'user' | 'security-resource' | 'job' | 'query';
}

/** SHA-256 Merkle tree hash, 32 bytes, as base64. */
export type RootHash = Branded<'RootHash'>;

/** What `verify` found. `problems` is empty exactly when `ok`. */
export interface AuditVerification {
  /** Leaves in the tree. */
  readonly size: number;
  readonly rootHash: RootHash;
  readonly ok: boolean;
  readonly problems: readonly AuditProblem[];
  /** True when there were more problems than are listed. */
  readonly more: boolean;
  readonly eventsChecked: number;
  readonly checkpointsChecked: number;
  /** Events committed but not sequenced yet, and young enough for that. */
  readonly pending: number;
  readonly erased: number;
  /** Damaged before they were numbered, and passed over since: their events are lost, and this says so for ever. */
  readonly setAside: readonly SetAsideBatch[];
}

/** A batch that could not be opened when its turn came. */
export interface SetAsideBatch {
  readonly batch: string;
  /** How many events its row says it held. */
  readonly events: number;
  readonly bytes: number;
  /** SHA-256 of its sealed bytes, hex. */
  readonly sha256: string;
  /** The event in which an operator entered the damage into the log. */
  readonly because: string;
}

export interface AuditProblem {
  readonly code:
    | 'event-missing' // a leaf whose event is gone
    | 'event-changed' // content or columns differ from what was sealed
    | 'event-erased' // content gone without a recorded erasure
    | 'commitment-wrong' // the commitment is not of this content
    | 'leaf-missing' // a gap in the leaves
    | 'leaf-wrong' // the leaf differs from the one in the tree
    | 'tile-wrong'
    | 'tile-missing'
    | 'root-wrong' // a checkpoint's root is not the root of its leaves
    | 'signature-wrong'
    | 'checkpoint-wrong' // a checkpoint contradicts itself or the others
    | 'not-in-tree' // an old event that has no leaf
    | 'time-wrong' // recorded long before or after it entered the tree
    | 'signer-wrong'
    | 'head-lost'; // the log is smaller than, or differs from, a head somebody kept
  readonly detail: string;
  readonly index?: number;
  readonly eventId?: string;
}
