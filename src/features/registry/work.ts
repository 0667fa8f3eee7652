/** One submission on its way through a batch: what can be worked out before the lock is taken. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import { covers, reachOf } from '../../kernel/reach.ts';
import type { MatchRecord } from '../matching/index.ts';
import type { Domain, DomainTable, RegistryDeps } from './deps.ts';
import { matchRecordOf } from './match-record.ts';
import type { Matcher, PreparedRecord } from './matcher.ts';
import type { Submission, SubmissionOutcome } from './model.ts';
import { carriesKey, ownIdentifier } from './own-key.ts';
import { domainNotOwned, keyMissing, mergeElsewhere, notOwnDomain, tooManyTerms } from './problems.ts';
import { keyTokensOf, type Records } from './records.ts';
import { isReplaced } from './replacement.ts';
import type { SubmitOptions } from './submit-options.ts';
import { hasTooManyTerms } from './term-bound.ts';

export interface Work {
  readonly actor: Actor;
  readonly submission: Submission;
  readonly options: SubmitOptions;
  readonly content?: WorkContent;
  /** Blind tokens of the own identifier, under every index key in use; the first is the current one. */
  readonly keyTokens: readonly bigint[];
  readonly key?: string;
  /** Set by the round: tokens of an identifier that names a record from this update on. */
  gained?: readonly bigint[];
  /** Set by the round: the record that the submission turned out to mean. */
  existingId?: ResourceId;
  outcome?: SubmissionOutcome;
}

export interface WorkContent {
  readonly patient: Patient;
  readonly record: MatchRecord;
  /** Whose `prepared` and keys these are. */
  readonly matcher: Matcher;
  readonly prepared: PreparedRecord;
  readonly tokens: readonly bigint[];
  readonly lookupTokens: readonly bigint[];
}

const FILING = ['client.write', 'client.load', 'client.delete'] as const;

/**
 * True when this actor may change records of the domain: its node, or, where no node owns it, people with that right in its
 * organisation.
 */
export function ownsDomain(principal: Principal, domain: Domain | undefined): boolean {
  if (!domain || domain.altered) return false;
  if (principal.kind === 'node') return domain.ownerNodeId === principal.nodeId;
  if (domain.ownerNodeId !== undefined) return false;
  // Which of these the request needs has been asked by the door; here the question is where.
  return principal.kind !== 'user' || FILING.some((one) => covers(reachOf(principal, one), [domain.organisationId]));
}

/** Whether records of this domain are there at all, for this actor: what is out of reach is not told from what is not known. */
export function isInReach(principal: Principal, domain: Domain | undefined): boolean {
  const reach = reachOf(principal, 'client.read');
  return reach === 'all' || (domain !== undefined && covers(reach, [domain.organisationId]));
}

export function refused(problem: Problem): SubmissionOutcome {
  return { status: 'refused', problem };
}

export interface WorkInput {
  readonly actor: Actor;
  readonly submission: Submission;
  readonly options: SubmitOptions;
}

export function prepareWork(
  deps: {
    readonly keyRing: RegistryDeps['keyRing'];
    readonly matcher: RegistryDeps['matcher'];
    readonly records: Records;
    readonly termsOf: RegistryDeps['termsOf'];
    readonly informativeIdentifiers?: boolean;
  },
  input: WorkInput,
  domains: DomainTable,
): Work {
  const { submission } = input;
  const informative = deps.informativeIdentifiers === true;
  const problem = ownershipProblem(input, domains, informative);
  if (problem) return { ...input, keyTokens: [], outcome: refused(problem) };
  if (submission.kind === 'delete') return { ...input, keyTokens: [] };
  // Moving a record to its successor's person needs both at hand: feed-merge.ts.
  if (isReplaced(submission.patient)) return { ...input, keyTokens: [], outcome: refused(mergeElsewhere()) };
  // Here and not when the person is written: there it would fail for everybody whose records share the transaction.
  if (hasTooManyTerms(deps, submission.patient)) {
    return { ...input, keyTokens: [], outcome: refused(tooManyTerms()) };
  }
  const key = keyOf(submission);
  const matched = informative ? withoutForeign(input.actor.principal, submission.patient, domains) : submission.patient;
  const content = workContent(deps, submission.patient, matched);
  if (key === undefined || submission.kind === 'update') return { ...input, content, keyTokens: [] };
  return { ...input, content, key, keyTokens: keyTokensOf(deps.keyRing, submission.domain.id, key) };
}

/** `matched`: the part of the patient that says who they are. */
function workContent(deps: Parameters<typeof prepareWork>[0], patient: Patient, matched: Patient): WorkContent {
  return contentOf(deps, patient, matchRecordOf(matched));
}

function contentOf(
  { matcher, records }: Pick<RegistryDeps, 'matcher'> & { readonly records: Records },
  patient: Patient,
  record: MatchRecord,
): WorkContent {
  const prepared = matcher.prepare(record);
  const { current, lookup } = records.bothKeys(prepared);
  return { patient, record, matcher, prepared, tokens: current, lookupTokens: lookup };
}

/** A copy of the work, made ready by the model that will decide it: another one may have taken over while it waited. */
export function underModel(deps: Parameters<typeof contentOf>[0], work: Work): Work {
  const { content } = work;
  if (content === undefined || content.matcher === deps.matcher) return { ...work };
  return { ...work, content: contentOf(deps, content.patient, content.record) };
}

/** The record's own identifier: the first in its domain that is not marked old. */
export function keyOf(submission: Submission): string | undefined {
  if (submission.kind === 'upsert') return submission.key;
  if (submission.kind !== 'create') return undefined;
  return submission.ifNoneExist?.value ?? ownIdentifier(submission.patient, submission.domain.system);
}

function ownershipProblem(
  { actor, submission, options }: WorkInput,
  domains: DomainTable,
  informative: boolean,
): Problem | undefined {
  const { principal } = actor;
  if (submission.kind === 'delete') return undefined;
  if (submission.kind !== 'update') {
    const domain = domains.bySystem(submission.domain.system);
    // A dry run claims no domain, so one that does not exist yet counts as the one that would be made.
    const wouldBeMade = options.rehearsal !== undefined && domain === undefined && principal.kind !== 'node';
    if (!wouldBeMade && !ownsDomain(principal, domain)) return notOwnDomain(domain?.system);
    const named = submission.kind === 'upsert' ? submission.key : submission.ifNoneExist?.value;
    if (named !== undefined && !carriesKey(submission.patient, submission.domain.system, named)) return keyMissing();
  }
  const { patient } = submission;
  if (!informative || !carriesOwn(principal, patient, domains)) return foreignIdentifier(principal, patient, domains);
  const claimed = patient.identifier?.filter(({ use }) => use === 'official' || use === undefined) ?? [];
  return foreignIdentifier(principal, { ...patient, identifier: claimed }, domains);
}

function carriesOwn(principal: Principal, patient: Patient, domains: DomainTable): boolean {
  return patient.identifier?.some(({ system }) => ownsDomain(principal, domains.bySystem(system ?? ''))) === true;
}

/** What others assigned is no evidence when the sender brings it: that would attach its record to anybody's. */
export function withoutForeign(principal: Principal, patient: Patient, domains: DomainTable): Patient {
  const own = patient.identifier?.filter((one) => !isForeign(principal, one, domains));
  return own === undefined || own.length === patient.identifier?.length ? patient : { ...patient, identifier: own };
}

function isForeign(principal: Principal, { system }: Identifier, domains: DomainTable): boolean {
  const domain = system === undefined ? undefined : domains.bySystem(system);
  return domain?.ownerNodeId !== undefined && !ownsDomain(principal, domain);
}

/** A sender may not speak for a domain that another node owns: that would let it attach itself to anybody's record. */
export function foreignIdentifier(principal: Principal, patient: Patient, domains: DomainTable): Problem | undefined {
  const index = patient.identifier?.findIndex((identifier) => isForeign(principal, identifier, domains));
  return index === undefined || index < 0
    ? undefined
    : domainNotOwned(`Patient.identifier[${index}]`, patient.identifier?.[index]?.system);
}
