import { Problem } from '../../kernel/problem.ts';
import type { RegistryProblemCode } from './model.ts';

type RegistryProblem = Problem<RegistryProblemCode>;

export const clientNotFound = (): RegistryProblem =>
  new Problem('not-found', 'client-not-found', 'No client record with this id is known here.', {
    fhirCode: 'not-found',
  });

export const clientDeleted = (): RegistryProblem =>
  new Problem(
    'gone',
    'client-deleted',
    'This client record was deleted. Its history is kept for those who may read it.',
  );

export const versionConflict = (current: number): RegistryProblem =>
  new Problem(
    'precondition-failed',
    'version-conflict',
    `The record has changed since it was read: its version is now ${current}. Nothing was written. Read it again and repeat the change.`,
    { fhirCode: 'conflict' },
  );

export const duplicateKey = (): RegistryProblem =>
  new Problem(
    'conflict',
    'duplicate-key',
    'A record with this identifier in its domain exists already. Nothing was written. Update it with PUT, by its id or by Patient?identifier=.',
    { fhirCode: 'duplicate', expression: ['Patient.identifier'] },
  );

/** `system`: of a domain that is known here; what a caller made up is not repeated. */
export const domainNotOwned = (expression: string, system?: string): RegistryProblem =>
  new Problem(
    'forbidden',
    'domain-not-owned',
    `An identifier of this record belongs to a domain that another system owns${system === undefined ? '' : ` (${system})`}. Only the owner may send records of it.`,
    { fhirCode: 'forbidden', expression: [expression] },
  );

export const notOwnRecord = (): RegistryProblem =>
  new Problem(
    'forbidden',
    'not-own-record',
    'This source record was sent by somebody else. Only the system or organisation that owns its domain may change it.',
    { fhirCode: 'forbidden' },
  );

/** Of a request that names a record by its identifier. `system`: of the domain, where it is known here. */
export const notOwnDomain = (system: string | undefined): RegistryProblem =>
  new Problem(
    'forbidden',
    'not-own-record',
    system === undefined
      ? 'The domain of this identifier is nobody’s here. An administrator gives domains to systems, on the node’s page. Nothing was written.'
      : `The domain ${system} is another’s. Only the system or organisation that owns it may send or change its records. Nothing was written.`,
    { fhirCode: 'forbidden' },
  );

export const goldenIsComputed = (): RegistryProblem =>
  new Problem(
    'unprocessable',
    'golden-is-computed',
    'This is a golden record: it is computed from its source records and cannot be changed or deleted directly. Change the source record.',
    { fhirCode: 'business-rule' },
  );

export const keyMissing = (): RegistryProblem =>
  new Problem(
    'unprocessable',
    'key-missing',
    'The record must carry the identifier of its own domain that the request names.',
    { fhirCode: 'required', expression: ['Patient.identifier'] },
  );

export const keyChanged = (): RegistryProblem =>
  new Problem(
    'unprocessable',
    'key-changed',
    "The record's own identifier in its domain cannot change. Delete the record and create it anew, or ask a steward.",
    { fhirCode: 'business-rule', expression: ['Patient.identifier'] },
  );

export const tooManyTerms = (): Problem =>
  new Problem('unprocessable', 'fhir-too-large', 'The record has too many different values.', {
    fhirCode: 'too-costly',
    expression: ['Patient'],
  });

export const transactionRefused = (): RegistryProblem =>
  new Problem('conflict', 'busy', 'Nothing of this transaction was written, since another entry of it was refused.');

export const reviewNotFound = (): RegistryProblem =>
  new Problem('not-found', 'review-not-found', 'This review does not exist, or one of its records was deleted.');

export const reviewDecided = (): RegistryProblem =>
  new Problem('conflict', 'review-already-decided', 'Somebody decided this review already. Nothing was changed.');

export const nothingToUndo = (why: string): RegistryProblem => new Problem('conflict', 'nothing-to-undo', why);

export const sameClient = (): RegistryProblem =>
  new Problem('conflict', 'same-client', 'Both are one client already. Nothing was changed.');

export const neverLinked = (): RegistryProblem =>
  new Problem(
    'conflict',
    'never-linked',
    'A steward declared records of these two clients to be different people. Take that decision back first.',
  );

export const lastSource = (): RegistryProblem =>
  new Problem(
    'conflict',
    'last-source',
    'This is the only source record of the client: there is nothing to separate it from.',
  );

export const notMerged = (): RegistryProblem =>
  new Problem('conflict', 'not-merged', 'No merge of this client is left to take back.');

export const shareUnknown = (): RegistryProblem =>
  new Problem('not-found', 'share-unknown', 'There is no such organisation, or nothing is shared with it.');

export const sharedClient = (): RegistryProblem =>
  new Problem(
    'forbidden',
    'shared-client',
    'Records of other organisations are part of this client, so your organisation does not decide this alone. Nothing was changed. Ask a central steward.',
    { fhirCode: 'forbidden' },
  );

export const searchTooBroad = (max: number): RegistryProblem =>
  new Problem(
    'unprocessable',
    'search-too-broad',
    `This search would read more than ${max} records. Add a criterion, or ask without _total=accurate.`,
    { fhirCode: 'too-costly' },
  );

/** Others read very much already. A search of few records never meets this. */
export const searchesBusy = (): RegistryProblem =>
  new Problem(
    'unavailable',
    'searches-busy',
    'Several searches that read very many records are under way, and more of them wait. Nothing is wrong with this one: ask again in 5 s, or add a criterion so that it reads less.',
    { fhirCode: 'throttled', retryAfterSeconds: 5 },
  );

export const sameRecord = (): RegistryProblem =>
  new Problem('unprocessable', 'same-record', 'A record cannot replace itself. Nothing was changed.', {
    fhirCode: 'business-rule',
    expression: ['Patient.link'],
  });

export const mergeLoop = (): RegistryProblem =>
  new Problem(
    'conflict',
    'merge-loop',
    'The surviving record was itself replaced by the other one. Nothing was changed. Send the merge the other way round, or ask a steward.',
    { fhirCode: 'business-rule', expression: ['Patient.link'] },
  );

export const successorReplaced = (): RegistryProblem =>
  new Problem(
    'conflict',
    'successor-replaced',
    'The surviving record was itself replaced by another one. Nothing was changed. Name that one.',
    { fhirCode: 'business-rule', expression: ['Patient.link'] },
  );

export const unmergeRefused = (): RegistryProblem =>
  new Problem(
    'method-not-allowed',
    'unmerge-refused',
    'This record was replaced by another one, and its sender cannot bring it back by a message. Nothing was changed. Ask a steward.',
    { fhirCode: 'not-supported', expression: ['Patient.link'] },
  );

export const mergeElsewhere = (): RegistryProblem =>
  new Problem(
    'unprocessable',
    'merge-elsewhere',
    'A record that is replaced by another one is sent by itself (PUT), in a message, or by $merge. Nothing was written.',
    { fhirCode: 'not-supported', expression: ['Patient.link'] },
  );

export const reviewerUnknown = (): RegistryProblem =>
  new Problem(
    'unprocessable',
    'reviewer-unknown',
    'This person may not decide reviews. Nothing was handed over. Choose somebody of the list.',
  );

export const secondPersonNeeded = (): RegistryProblem =>
  new Problem(
    'conflict',
    'second-person-needed',
    'You proposed this link yourself. Nothing was changed. A second person has to agree; until then you can still say that they are different people.',
  );

/** To take back somebody else's separation is to make two clients one. */
export const undoWantsTwo = (): RegistryProblem =>
  new Problem(
    'conflict',
    'second-person-needed',
    'Somebody else took this record out, and two people decide here that two clients are one. Nothing was changed. Merge the two clients: your wish is kept, and a second person agrees to it.',
  );

/** A person who tells a merge by FHIR does by another way what the pages ask two people for. */
export const mergeWantsTwo = (): RegistryProblem =>
  new Problem(
    'conflict',
    'second-person-needed',
    'Two people decide here before two clients become one. Nothing was changed. Propose the merge on the page of one of them.',
    { fhirCode: 'business-rule' },
  );

/** Saying which of one's records replaced another is a sender's; making two clients one is a steward's. */
export const mergeNotAllowed = (): RegistryProblem =>
  new Problem(
    'forbidden',
    'merge-not-allowed',
    'These records belong to two clients, and you may not make them one. Nothing was changed. A steward can.',
    { fhirCode: 'forbidden' },
  );

export const bulkNotFound = (): RegistryProblem =>
  new Problem('not-found', 'bulk-not-found', 'No such group of reviews is known here.');

export const bulkOver = (): RegistryProblem =>
  new Problem('conflict', 'bulk-over', 'This group is done or was taken back. Nothing was changed. Begin a new one.');

export const bulkOutdated = (): RegistryProblem =>
  new Problem(
    'conflict',
    'bulk-outdated',
    'Another matching model decides since the sample of this group was drawn. Nothing more was linked. Begin a new group.',
  );

export const tooFewAlike = (least: number): RegistryProblem =>
  new Problem(
    'unprocessable',
    'too-few-alike',
    `Fewer than ${least} open pairs reach this score. Nothing was begun. Decide them one by one, or choose a lower score.`,
  );

export const samplePending = (waiting: number): RegistryProblem =>
  new Problem(
    'conflict',
    'sample-pending',
    `${waiting} of the sample are not decided yet. Nothing was linked. Decide them first.`,
  );

export const sampleFailed = (wrong: number, of: number): RegistryProblem =>
  new Problem(
    'conflict',
    'sample-failed',
    `${wrong} of the sample of ${of} were different people, so the rest may not be linked together. Nothing was linked. Choose a higher score, or decide them one by one.`,
  );

export const idTaken = (): RegistryProblem =>
  new Problem(
    'conflict',
    'id-taken',
    'An id of this file is the id of another record here. Nothing of this part was changed.',
  );

export const noLinksToCheck = (): RegistryProblem =>
  new Problem(
    'unprocessable',
    'no-links-to-check',
    'Of the links made without a person within a year, none is left to draw. Nothing was changed.',
  );

export const linkCheckNotFound = (): RegistryProblem =>
  new Problem('not-found', 'link-check-not-found', 'No such link was drawn for a second look.');

export const linkCheckDone = (): RegistryProblem =>
  new Problem(
    'conflict',
    'link-check-done',
    'Somebody has judged this link already. Their answer stays. Go on with the next.',
  );
