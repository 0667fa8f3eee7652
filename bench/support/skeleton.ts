/**
 * The floor to compare with: fastify and pg over TLS, no authentication, validation, sealing, matching or audit. A create parses the
 * body and writes the resource and six blocking keys in one statement; a read is one point look-up, a search by identifier one by the
 * sixth of these keys. Same driver settings, same
 * database server, same machine.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import fastify, { type FastifyInstance } from 'fastify';
import { Pool } from 'pg';
import { population, patientOf } from './population.ts';

interface SkeletonOptions {
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  readonly people: number;
  /** Its tables may be filled already, and are left as they are. */
  readonly kept: boolean;
  readonly certificateFile: string;
  readonly keyFile: string;
}

const CREATE = `WITH made AS (INSERT INTO skeleton.resource (id, content) VALUES ($1, $2))
  INSERT INTO skeleton.blocking_key (token, id) SELECT t, $1 FROM unnest($3::bigint[]) AS t`;

const FIND = `SELECT content FROM skeleton.resource JOIN skeleton.blocking_key USING (id) WHERE token = $1`;

interface Identified {
  readonly identifier?: readonly { readonly value?: string }[];
}

/** Five of the whole text, and one of its last identifier, which searches ask for. */
function tokensOf(text: string, { identifier }: Identified): string[] {
  let hash = 0x811c9dc5;
  const tokens: string[] = [];
  for (let i = 0; i < 5; i++) {
    for (let at = i; at < text.length; at += 7) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    tokens.push(String((BigInt(hash >>> 0) << 20n) + BigInt(i)));
  }
  return [...tokens, tokenOf(identifier?.at(-1)?.value ?? text)];
}

function tokenOf(identifier: string): string {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < identifier.length; at++) {
    low = Math.imul(low ^ identifier.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  return String(BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) + BigInt(low >>> 0)));
}

type Create = (id: string, patient: Identified) => Promise<unknown>;

/** So many are made like the registry's, more than a run asks for; those beyond are copies under other ids and keys. */
const MADE_MAX = 100_000;
const COPY = `WITH copied AS (
    INSERT INTO skeleton.resource SELECT gen_random_uuid(), content FROM skeleton.resource LIMIT $1 RETURNING id
  )
  INSERT INTO skeleton.blocking_key
  SELECT (random() * 9e18)::bigint, id FROM copied, generate_series(1, 6)`;

async function populate(pool: Pool, create: Create, people: number): Promise<void> {
  await pool.query('TRUNCATE skeleton.resource, skeleton.blocking_key');
  const source = population(1);
  const made = Math.min(people, MADE_MAX);
  for (let done = 0; done < made; ) {
    const group = Array.from({ length: Math.min(100, made - done) }, () => {
      const { value } = source.next();
      return create(randomUUID(), patientOf(value));
    });
    await Promise.all(group);
    done += group.length;
  }
  for (let left = people - made; left > 0; left -= made) await pool.query(COPY, [Math.min(left, made)]);
  await pool.query('ANALYZE skeleton.resource, skeleton.blocking_key');
}

function addRoutes(app: FastifyInstance<Server>, pool: Pool, create: Create): void {
  app.addContentTypeParser('application/fhir+json', { parseAs: 'string' }, (_request, body, done) => {
    done(null, JSON.parse(String(body)));
  });
  app.post('/fhir/Patient', async (request, reply) => {
    const id = randomUUID();
    await create(id, request.body as Identified);
    return reply
      .code(201)
      .type('application/fhir+json')
      .send(JSON.stringify({ ...(request.body as object), id }));
  });
  app.get<{ Params: { id: string } }>('/fhir/Patient/:id', async (request, reply) => {
    const { rows } = await pool.query<{ content: string }>({
      name: 'read',
      text: 'SELECT content FROM skeleton.resource WHERE id = $1',
      values: [request.params.id],
    });
    return reply.type('application/fhir+json').send(rows[0]?.content ?? '{}');
  });
  app.get<{ Querystring: { identifier: string } }>('/fhir/Patient', async (request, reply) => {
    const value = request.query.identifier.split('|')[1] ?? '';
    const { rows } = await pool.query<{ content: string }>({ name: 'find', text: FIND, values: [tokenOf(value)] });
    const entries = rows.map(({ content }) => `{"resource":${content}}`).join(',');
    return reply
      .type('application/fhir+json')
      .send(`{"resourceType":"Bundle","type":"searchset","total":${rows.length},"entry":[${entries}]}`);
  });
}

async function serve({ connection, people, kept, certificateFile, keyFile }: SkeletonOptions): Promise<void> {
  const pool = new Pool({ ...connection, max: 16 });
  const create: Create = (id, patient) => {
    const body = JSON.stringify(patient);
    return pool.query({ name: 'create', text: CREATE, values: [id, body, tokensOf(body, patient)] });
  };
  const { rowCount } = await pool.query('SELECT FROM skeleton.resource LIMIT 1');
  if (!kept || rowCount === 0) await populate(pool, create, people);
  const asked = 'SELECT id FROM skeleton.resource ORDER BY random() LIMIT 20000';
  const ids = (await pool.query<{ id: string }>(asked)).rows.map(({ id }) => id);
  const app = fastify({
    https: { cert: readFileSync(certificateFile), key: readFileSync(keyFile) },
    bodyLimit: 1_048_576,
  });
  addRoutes(app, pool, create);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.send?.({ kind: 'ready', port, ids });
  process.once('disconnect', () => void app.close().then(() => pool.end()));
}

// The options come from the bench that forked this file.
await serve(JSON.parse(process.argv[2] ?? '{}') as SkeletonOptions);
