/** A model tried on the records that are here: what would be linked, parted and asked. Writes its report and nothing else. */
import { parseId, type ResourceId } from '../../kernel/ids.ts';
import { compileModel } from '../matching/index.ts';
import { type GroupTally, HISTOGRAM, newGroupTally, newTally, type SimulationTally } from '../registry/index.ts';
import type { ModelsDeps } from './deps.ts';
import { modelNotFound } from './errors.ts';
import { populationFor } from './in-force.ts';
import { documentOf, modelRow } from './library.ts';
import type { ModelId } from './model.ts';
import type { StudyWork } from './studies.ts';
import type { SimulateRequest } from './wire.ts';

const PAGE = 100;
/** One seed for all: two models tried on as many records are tried on the same ones. */
const SEED = 1;

export interface SimulationReport {
  readonly candidate: string;
  readonly active: string;
  /** Records that there were, of which `tally.records` were looked at. */
  readonly records: number;
  readonly thresholds: { readonly match: number; readonly review: number };
  readonly activeThresholds: { readonly match: number; readonly review: number };
  /** Blocking rules that the active model lacks: pairs that only these bring together cannot be seen before a re-link. */
  readonly newRules: readonly string[];
  /** Parts of the active model's rules, by name. */
  readonly ruleParts: Readonly<Record<string, string>>;
  readonly histogram: typeof HISTOGRAM;
  readonly tally: SimulationTally;
}

export function simulation(deps: ModelsDeps): StudyWork {
  return async (run) => {
    const asked = run.asked.what as SimulateRequest;
    const modelId = parseId<ModelId>(asked.modelId);
    if (!modelId) throw modelNotFound();
    const document = documentOf(deps, await modelRow(deps.database, modelId));
    const records = await deps.registry.sources(deps.database);
    const wanted = Math.min(asked.records ?? records, records);
    const candidate = compileModel(document, { population: await populationFor(deps, document) });
    const active = deps.registry.active();
    const tally = newTally();
    const draw = { seed: SEED, share: records === 0 ? 1 : wanted / records };
    for (let after: ResourceId | undefined, more = true; more; ) {
      after = await deps.registry.simulate({ candidate, draw, after, limit: PAGE, tally });
      more = after !== undefined;
      await run.tell('comparing', tally.records, wanted);
    }
    const known = new Set(active.document.blocking.rules.map(({ parts }) => parts.join('+')));
    const report: SimulationReport = {
      candidate: document.version,
      active: active.version,
      records,
      thresholds: document.thresholds,
      activeThresholds: active.document.thresholds,
      newRules: document.blocking.rules.filter(({ parts }) => !known.has(parts.join('+'))).map(({ name }) => name),
      ruleParts: Object.fromEntries(active.document.blocking.rules.map(({ name, parts }) => [name, parts.join(' + ')])),
      histogram: HISTOGRAM,
      tally,
    };
    return { report, modelId };
  };
}

export interface GroupsReport {
  readonly active: string;
  readonly tally: GroupTally;
}

/** Looks through everybody with several records. */
export function groupsCheck(deps: ModelsDeps): StudyWork {
  return async (run) => {
    const tally = newGroupTally();
    const records = await deps.registry.sources(deps.database);
    for (let after: ResourceId | undefined, more = true; more; ) {
      after = await deps.registry.checkGroups({ after, limit: PAGE, tally });
      more = after !== undefined;
      await run.tell('looking through groups', tally.records, records);
    }
    const report: GroupsReport = { active: deps.registry.version(), tally };
    return { report };
  };
}
