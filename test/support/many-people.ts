/** A whole programme's people on a running server's database: written by the product's own stores, faster than its pages would. */
import { newId } from '../../src/crypto/index.ts';
import { createCredentialBook } from '../../src/features/identity/credential-book.ts';
import { createOrganisationStore } from '../../src/features/identity/organisation-store.ts';
import { emergencyRow, exceptionRow } from '../../src/features/identity/row-facts.ts';
import { createSealing, type Sealing } from '../../src/features/identity/sealing.ts';
import { createUserStore } from '../../src/features/identity/user-store.ts';
import type { OrganisationId, SessionId, UserId } from '../../src/kernel/ids.ts';
import { withServices } from '../../src/main/command.ts';
import { type Database, statement, type Transaction } from '../../src/platform/db/sql.ts';
import { configOf } from './bans.ts';

/** How many of each there are afterwards, beside what was there. */
export interface ManyPeople {
  readonly people: number;
  readonly organisations: number;
  readonly emergencies: number;
  readonly exceptions: number;
}

const DAY_MS = 86_400_000;
const AT_ONCE = 500;
const STATES = ['active', 'active', 'active', 'active', 'active', 'active', 'invited', 'disabled'] as const;
const GIVEN = ['Grace', 'Joseph', 'Amina', 'Okot', 'Ingrid', 'فاطمة', 'Moses', 'Wanjiru', 'Pham Thi', 'Tesfaye'];
const FAMILY = ['Namukasa', 'Mugisha', 'Kato', 'Ssekandi', 'عبد الرحمن', 'Achieng', 'Odhiambo', 'Thu Hương', 'Bekele'];
const PLACES = ['Kisoro', 'Mbale', 'Arua', 'Gulu', 'Jinja', 'Masaka', 'Soroti', 'Kabale', 'Moroto', 'Fort Portal'];
const KINDS = ['Health Centre III', 'Hospital', 'Outreach Clinic', 'Maternity Home', 'Laboratory'];

const SEEN = statement(
  'test.signed-in',
  'UPDATE identity.users SET last_sign_in_at = $2, created_at = $3 WHERE id = $1',
);
const EXCEPTION = statement(
  'test.exception',
  `INSERT INTO identity.exceptions (id, user_id, sealed_why, approved_by, granted_at, ends_at, binding) VALUES ($1, $2, $3, NULL, $4, $5, $6)`,
);
const EMERGENCY = statement(
  'test.emergency',
  `INSERT INTO identity.emergencies (id, user_id, session_id, organisation_id, sealed_reason, started_at, ends_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

interface Filler {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly nowMs: number;
}

/** Fills the home of a server that is running and set up. The people are `person-0@…`; none of them can sign in. */
export async function fillWithPeople(home: string, wanted: ManyPeople): Promise<void> {
  const options = { command: 'test', signal: new AbortController().signal };
  await withServices(configOf(home), options, async ({ database, vault: { keyRing } }) => {
    const filler = { database, sealing: createSealing(keyRing), nowMs: Date.now() };
    const places = await fillOrganisations(filler, wanted.organisations);
    const people = await fillUsers(filler, wanted.people, places);
    await inParts(database, wanted.exceptions, (tx, at) => addException(filler, tx, people[at % people.length]));
    await inParts(database, wanted.emergencies, (tx, at) => addEmergency(filler, tx, people[at % people.length], at));
  });
}

interface Added {
  readonly userId: UserId;
  readonly organisationId: OrganisationId;
}

export const placeName = (at: number): string =>
  `${PLACES[at % PLACES.length] ?? ''} ${KINDS[Math.floor(at / PLACES.length) % KINDS.length] ?? ''} ${at + 1}`;
export const personName = (at: number): string =>
  `${GIVEN[at % GIVEN.length] ?? ''} ${FAMILY[Math.floor(at / 7) % FAMILY.length] ?? ''} ${at}`;

async function fillOrganisations({ database, sealing, nowMs }: Filler, count: number): Promise<OrganisationId[]> {
  const store = createOrganisationStore(sealing);
  const ids = Array.from({ length: count }, () => newId<OrganisationId>());
  await inParts(database, count, async (tx, at) => {
    const id = ids[at];
    if (id !== undefined) await store.insert(tx, { id, name: placeName(at) }, nowMs);
  });
  return ids;
}

async function fillUsers(filler: Filler, count: number, places: readonly OrganisationId[]): Promise<Added[]> {
  const { database, sealing, nowMs } = filler;
  const users = createUserStore(sealing, createCredentialBook(sealing));
  const added: Added[] = [];
  await inParts(database, count, async (tx, at) => {
    const organisationId = places[at % places.length];
    if (organisationId === undefined) throw new Error('There is no organisation to belong to');
    const id = newId<UserId>();
    const person = { name: personName(at), email: `person-${at}@example.org` };
    const roles = at % 11 === 0 ? ['administrator', 'steward'] : [at % 3 === 0 ? 'steward' : 'registrar'];
    const joinedMs = nowMs - (100 + (at % 900)) * DAY_MS;
    await users.insert(tx, { ...person, id, state: 'invited', roles, organisationId, nowMs: joinedMs });
    const state = STATES[at % STATES.length];
    if (state === 'active') {
      await users.activate(tx, id, { ...person, passwordHash: 'of a password that nobody knows' });
      await tx.run(SEEN, [id, new Date(nowMs - (at % 60) * 0.9 * DAY_MS), new Date(joinedMs)]);
    }
    if (state === 'disabled') await users.setState(tx, id, 'disabled');
    added.push({ userId: id, organisationId });
  });
  return added;
}

async function addException({ sealing, nowMs }: Filler, tx: Transaction, who: Added | undefined): Promise<void> {
  if (who === undefined) return;
  const id = newId();
  const facts = { id, userId: who.userId, approvedBy: null, grantedMs: nowMs - DAY_MS, endsMs: nowMs + 9 * DAY_MS };
  const why = sealing.seal('sealed_why', id, 'Waits for a new telephone');
  const times = [new Date(facts.grantedMs), new Date(facts.endsMs)];
  await tx.run(EXCEPTION, [id, who.userId, why, ...times, sealing.rows.bind(exceptionRow(facts))]);
}

async function addEmergency(filler: Filler, tx: Transaction, who: Added | undefined, at: number): Promise<void> {
  if (who === undefined) return;
  const { sealing, nowMs } = filler;
  const id = newId();
  const startedMs = nowMs - (at + 2) * 3_600_000;
  const facts = { id, ...who, sessionId: newId<SessionId>(), startedMs, endsMs: startedMs + 1_800_000 };
  const reason = sealing.seal('sealed_reason', id, `Unconscious, unknown allergies (${at})`);
  const times = [new Date(startedMs), new Date(facts.endsMs)];
  const values = [id, who.userId, facts.sessionId, who.organisationId, reason, ...times];
  await tx.run(EMERGENCY, [...values, sealing.rows.bind(emergencyRow(facts))]);
}

async function inParts(database: Database, count: number, add: (tx: Transaction, at: number) => Promise<void>) {
  for (let from = 0; from < count; from += AT_ONCE) {
    await database.transaction(async (tx) => {
      for (let at = from; at < Math.min(from + AT_ONCE, count); at++) await add(tx, at);
    });
  }
}
