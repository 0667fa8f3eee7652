import { afterAll, beforeAll, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import {
  ACTS,
  dice,
  emptyRegistry,
  expectWhole,
  type PlayedRegistry,
  type Player,
  registerSeveral,
} from '../../../test/support/registry-play.ts';
import { newId } from '../../crypto/index.ts';
import { searchTerms } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import { createDatabase, type Database } from '../../platform/db/index.ts';
import { compileModel, DEFAULT_MODEL } from '../matching/index.ts';
import type { ActivationId } from './registry-models.ts';
import { createMatcher, createRegistry } from './index.ts';

/**
 * Eight people and systems at once, at two processes on one database: registrations, decisions, and going over all records with
 * another model, against what must hold whenever nobody acts. The acts follow from the seed, who comes first does not.
 */
let f: RegistryFixture;
let otherDatabase: Database;
let processes: readonly [PlayedRegistry, PlayedRegistry];

beforeAll(async () => {
  f = await registryFixture();
  otherDatabase = createDatabase({ poolSize: 8, statementTimeoutMs: 30_000, connection: f.db.connection });
  processes = [registryOn(f.db.database), registryOn(otherDatabase)];
});
afterAll(async () => {
  await otherDatabase.close();
  await f.close();
});

function registryOn(database: Database): PlayedRegistry {
  const { keyRing, resources, clock, nodes, audit } = f;
  const matcher = createMatcher(compileModel(DEFAULT_MODEL));
  const deps = { database, keyRing, resources, audit, matcher, domains: nodes.domains, clock, termsOf: searchTerms };
  const registry = createRegistry(deps);
  return { ...registry.as(f.operator.principal), ...registry };
}

const { thresholds } = DEFAULT_MODEL;
/** As shipped, one that links hardly anything, one that links much. */
const MODELS = [
  DEFAULT_MODEL,
  { ...DEFAULT_MODEL, version: 'wary', thresholds: { ...thresholds, match: 0.999_999 } },
  { ...DEFAULT_MODEL, version: 'bold', thresholds: { ...thresholds, match: 0.7, probable: 0.6 } },
].map((model) => compileModel(model));

/** Another model takes over; every second time what it moved is taken back. */
async function relink({ registry, roll }: Player): Promise<void> {
  const active = MODELS[roll(MODELS.length)];
  if (active) for (const one of processes) one.models.use({ active, former: [] });
  const activationId = newId<ActivationId>();
  const batch = { activationId, limit: 5, actor: userActor, alongside: async () => {} };
  let after: ResourceId | undefined;
  do ({ after } = await registry.models.relink({ ...batch, after, links: true }));
  while (after !== undefined);
  if (roll(2) === 0) while ((await registry.models.takeBack(batch)).more);
}

const ALL: typeof ACTS = { ...ACTS, registerSeveral, relink };
const NAMES = ['register', 'register', 'register', ...Object.keys(ALL)];
const ACTS_BETWEEN_LOOKS = 4;

async function actSeveralTimes(player: Player, done: string[]): Promise<void> {
  for (let n = 0; n < ACTS_BETWEEN_LOOKS; n++) {
    const name = NAMES[player.roll(NAMES.length)] ?? 'register';
    done.push(name);
    try {
      await ALL[name]?.(player);
    } catch (error) {
      // A refusal is an answer; anything else is a fault.
      if (!isProblem(error) || error.kind === 'internal') throw error;
    }
  }
}

async function play(seed: number, looks: number): Promise<void> {
  const players = Array.from({ length: 8 }, (_, n): Player => {
    return { f, registry: processes[n % 2 === 0 ? 0 : 1], roll: dice(seed * 100 + n), decided: new Map() };
  });
  for (let look = 0; look < looks; look++) {
    f.clock.forward(1000);
    const done = players.map((): string[] => []);
    try {
      await Promise.all(players.map((player, n) => actSeveralTimes(player, done[n] ?? [])));
      await expectWhole({ f, registry: processes[0] });
    } catch (error) {
      const acts = done.map((names) => names.join(' ')).join(' | ');
      throw new Error(`seed ${seed}, look ${look}, ${acts}: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      });
    }
  }
}

it.each([1, 2, 3])(
  'whoever registers and decides at the same time, in two processes (seed %i)',
  async (seed) => {
    await emptyRegistry(f);
    await play(seed, 5);
  },
  120_000,
);
