import { Agent } from 'node:https';
import { type TestDatabase, testDatabase } from './database.ts';
import { type TestDoor, testDoor } from './door.ts';
import { type IdentityFixture, identityFixture, reachedThrough } from './identity.ts';
import { type Answer, OWN_PAGE, send } from './tls.ts';

/** The users' door with identity behind it: real TLS, real database, the audit log told of refusals. */
export interface IdentityDoor extends IdentityFixture {
  readonly db: TestDatabase;
  readonly door: TestDoor;
  close(): Promise<void>;
}

export async function identityDoor(options: Parameters<typeof identityFixture>[1] = {}): Promise<IdentityDoor> {
  const db = await testDatabase();
  const fixture = identityFixture(db.database, options);
  const { identity, audit, clock } = fixture;
  audit.assertKnownEvents(identity.routes);
  const door = await testDoor(identity.routes, {
    authenticate: ({ cookieHeader, origin }) => identity.authenticateUser(cookieHeader, origin),
    decideAccess: identity.decideAccess,
    clock,
  });
  const agent = new Agent({ keepAlive: true });
  reachedThrough(identity, { ...door.client, agent });
  return {
    ...fixture,
    db,
    door,
    async close() {
      agent.destroy();
      await door.close();
      await db.close();
    },
  };
}

/** A browser outside: only what travels over the connection. */
export class DoorBrowser {
  readonly cookies = new Map<string, string>();
  readonly #door: TestDoor;

  constructor(door: TestDoor) {
    this.#door = door;
  }

  async ask(
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = OWN_PAGE,
  ): Promise<Answer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await send(this.#door.client, {
      method,
      path,
      headers: {
        ...headers,
        ...(cookie === '' ? {} : { cookie }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(text === undefined ? {} : { body: text }),
    });
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    if (/Max-Age=0/.test(line)) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}
