/** A model tried beside the active one on every registration: how often and where the two would differ. Off unless somebody asks. */
import { newId } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { statement } from '../../platform/db/sql.ts';
import type { ShadowListener, ShadowNote } from '../registry/index.ts';
import { lockInForce, readInForce, writeInForce } from './in-force-binding.ts';
import type { ModelsDeps } from './deps.ts';
import { modelActive, modelNotFound } from './errors.ts';
import type { ModelId } from './model.ts';
import { record } from './promotion.ts';
import { openJson, sealJson } from './sealing.ts';
import { store } from './store.ts';
import type { ShadowReply } from './wire.ts';

const FLUSH_MS = 1_000;
const EXAMPLES_MAX = 50;
/** Examples of one second: a difference that concerns everybody must not fill memory. */
const EXAMPLES_AT_ONCE = 5;

export interface ShadowExample {
  readonly a: string;
  readonly b: string;
  readonly now: ShadowNote['now'];
  readonly beside: ShadowNote['beside'];
  readonly scoreNow: number;
  readonly scoreThen: number;
}

export interface Shadow {
  listener(shadow: ModelId, active: ModelId): ShadowListener;
  set(actor: Actor, id: ModelId | undefined): Promise<AuditReceipt>;
  read(): Promise<ShadowReply>;
  example(id: string): Promise<ShadowExample | undefined>;
  /** Writes what was counted so far. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const addTally = statement(
  'models.shadow-tally',
  `INSERT INTO models.shadow_tally (shadow, active, day, outcome, count)
   SELECT $1, $2, ($3::timestamptz AT TIME ZONE 'UTC')::date, t.outcome, t.count FROM unnest($4::text[], $5::bigint[]) AS t(outcome, count)
   ON CONFLICT (shadow, active, day, outcome) DO UPDATE SET count = models.shadow_tally.count + excluded.count`,
);
const addExample = statement(
  'models.shadow-example',
  `INSERT INTO models.shadow_example (shadow, example_id, at, detail)
   SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM models.shadow_example WHERE shadow = $1) < ${EXAMPLES_MAX}`,
);
const tallies = statement<{ readonly day: string; readonly outcome: string; readonly count: bigint }>(
  'models.shadow-tallies',
  `SELECT day::text AS day, outcome, count FROM models.shadow_tally WHERE shadow = $1 AND active = $2 ORDER BY day DESC, outcome LIMIT 600`,
);
const examples = statement<{ readonly example_id: string; readonly at: Date; readonly detail: Buffer }>(
  'models.shadow-examples',
  'SELECT example_id, at, detail FROM models.shadow_example WHERE shadow = $1 ORDER BY at DESC LIMIT 20',
);
const exampleById = statement<{ readonly detail: Buffer }>(
  'models.shadow-example-by-id',
  'SELECT detail FROM models.shadow_example WHERE example_id = $1',
);
const dropExamples = statement('models.shadow-drop-examples', 'DELETE FROM models.shadow_example WHERE shadow <> $1');

interface Counter {
  readonly listener: Shadow['listener'];
  readonly flush: Shadow['flush'];
}

/** Counts in memory, written a second later. */
function createCounter(deps: ModelsDeps): Counter {
  let counted:
    | { shadow: ModelId; active: ModelId; outcomes: Map<string, number>; examples: ShadowExample[] }
    | undefined;
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => void flush().catch(deps.onReloadFailed), FLUSH_MS).unref();
  };
  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const whole = counted;
    counted = undefined;
    if (!whole) return;
    const at = new Date(deps.clock.nowMs());
    const { shadow, active, outcomes } = whole;
    await deps.database.run(addTally, [shadow, active, at, [...outcomes.keys()], [...outcomes.values()]]);
    for (const one of whole.examples) {
      const id = newId();
      const detail = sealJson(deps.keyRing, 'shadow_example.detail', id, one);
      await deps.database.run(addExample, [shadow, id, at, detail]);
    }
  }
  return {
    listener(shadow, active) {
      const count = (outcome: string) => {
        counted ??= { shadow, active, outcomes: new Map(), examples: [] };
        counted.outcomes.set(outcome, (counted.outcomes.get(outcome) ?? 0) + 1);
        soon();
      };
      return {
        skipped: () => count('skipped'),
        note({ now, beside, differs }) {
          count(`${now}->${beside}`);
          if (!differs || !counted || counted.examples.length >= EXAMPLES_AT_ONCE) return;
          counted.examples.push({ ...differs, now, beside });
        },
      };
    },
    flush,
  };
}

export function createShadow(deps: ModelsDeps): Shadow {
  const { listener, flush } = createCounter(deps);
  return {
    listener,
    async set(actor, id) {
      return await deps.database.transaction(async (tx) => {
        const inForce = await lockInForce(deps, tx);
        if (id === inForce.active) throw modelActive();
        const model = id && (await store.model(tx, id));
        if (id && !model) throw modelNotFound();
        await writeInForce(deps, tx, { ...inForce, shadow: id ?? null }, new Date(deps.clock.nowMs()));
        if (id) await tx.run(dropExamples, [id]);
        return await record(deps, tx, actor, 'model.shadow', { model: model ? model.version : 'none' });
      });
    },
    async read() {
      await flush();
      const inForce = await readInForce(deps, deps.database);
      const model = inForce?.shadow ? await store.model(deps.database, inForce.shadow) : undefined;
      if (!inForce?.shadow || !model) return { days: [], examples: [] };
      const rows = await deps.database.rows(tallies, [inForce.shadow, inForce.active]);
      const days = [...Map.groupBy(rows, (row) => row.day)].map(([day, of]) => ({
        day,
        outcomes: Object.fromEntries(of.map(({ outcome, count }) => [outcome, Number(count)])),
      }));
      const shown = (await deps.database.rows(examples, [inForce.shadow])).map((row) => {
        const {
          a: _a,
          b: _b,
          ...told
        } = openJson<ShadowExample>(deps.keyRing, 'shadow_example.detail', row.example_id, row.detail);
        return { id: row.example_id, at: row.at.toISOString(), ...told };
      });
      return { shadow: model.version, days, examples: shown };
    },
    async example(id) {
      const [row] = await deps.database.rows(exampleById, [id]);
      return row && openJson<ShadowExample>(deps.keyRing, 'shadow_example.detail', id, row.detail);
    },
    flush,
    async stop() {
      await flush();
    },
  };
}
