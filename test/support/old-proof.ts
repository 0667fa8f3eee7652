/** Makes somebody’s proof of the second factor an old one: on a running server's database, in the product's own hand. */
import { createSealing } from '../../src/features/identity/sealing.ts';
import { sessionRow } from '../../src/features/identity/row-facts.ts';
import { type BoundSessionRow, sessionFacts } from '../../src/features/identity/session-store.ts';
import { withServices } from '../../src/main/command.ts';
import { statement } from '../../src/platform/db/sql.ts';
import { configOf } from './bans.ts';

const SESSIONS = statement<BoundSessionRow>(
  'test.sessions-of',
  `SELECT token_hash, id, user_id, started_at, authenticated_at, absolute_ends_at, method, binding
   FROM identity.sessions WHERE user_id = $1 FOR UPDATE`,
);
const AGE = statement(
  'test.age-proof',
  'UPDATE identity.sessions SET authenticated_at = $2, binding = $3 WHERE token_hash = $1',
);
/** The server believes what it has read for a second. */
const REMEMBERED_MS = 1_100;

/** All sessions of this person look as if the second factor had been given so long ago. */
export async function ageProof(home: string, email: string, minutes: number): Promise<void> {
  const options = { command: 'test', signal: new AbortController().signal };
  await withServices(configOf(home), options, async ({ database, identity, vault: { keyRing } }) => {
    const { rows } = createSealing(keyRing);
    const user = await identity.findUserByEmail(email);
    if (user === undefined) throw new Error('Nobody has this address');
    await database.transaction(async (tx) => {
      for (const row of await tx.rows(SESSIONS, [user.id])) {
        const authenticated = new Date(row.authenticated_at.getTime() - minutes * 60_000);
        const facts = sessionFacts({ ...row, authenticated_at: authenticated }, row.token_hash);
        await tx.run(AGE, [row.token_hash, authenticated, rows.bind(sessionRow(facts))]);
      }
    });
  });
  await new Promise((resolve) => setTimeout(resolve, REMEMBERED_MS));
}
