/**
 * The life of the matching model inside the registry: versions, training on the registry's own records, trying a model before it
 * decides, promoting it in one step and rolling it back in one step. See README.md.
 */
import type { Actor } from '../../kernel/principal.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import type { ResealParticipant } from '../../store/index.ts';
import type { ModelsDeps } from './deps.ts';
import { evaluation } from './evaluation.ts';
import { type InForce, keepInForce } from './in-force.ts';
import { promote, RELINK_JOB, rollBack } from './promotion.ts';
import { runRelink } from './relinking.ts';
import type { StudyId } from './model.ts';
import { shownReport } from './reports.ts';
import { modelRoutes } from './routes.ts';
import { resealParticipants } from './sealing.ts';
import { createModelsService, type ModelsService } from './service.ts';
import { createShadow } from './shadow.ts';
import { groupsCheck, simulation } from './simulation.ts';
import { keepKeys, oldKeys, type OldKeys } from './stored-keys.ts';
import { createStudies, type Studies, STUDY_JOB } from './studies.ts';
import { training } from './training.ts';
import type { StudyReportReply } from './wire.ts';

export interface Models extends ModelsService {
  readonly studies: Studies;
  readonly inForce: InForce;
  /** In one step; see promotion.ts. */
  promote(
    ...of: Parameters<typeof promote> extends [unknown, ...infer Rest] ? Rest : never
  ): ReturnType<typeof promote>;
  rollBack(
    ...of: Parameters<typeof rollBack> extends [unknown, ...infer Rest] ? Rest : never
  ): ReturnType<typeof rollBack>;
  /** Begins to make blocking keys anew where an earlier version of the program made them; once, where background work is done. */
  keepKeys(): Promise<void>;
  /** How far that is; undefined where nothing is to be done. */
  oldKeys(): Promise<OldKeys | undefined>;
  /** What a study found; looking at it is in the log. */
  report(actor: Actor, id: StudyId): Promise<StudyReportReply['report']>;
  readonly routes: readonly RouteDeclaration[];
  readonly resealParticipants: readonly ResealParticipant[];
  stop(): Promise<void>;
}

/** Builds the feature, defines its jobs and puts the active model in force in this process. `deps` are in deps.ts. */
export async function createModels(deps: ModelsDeps): Promise<Models> {
  const shadow = createShadow(deps);
  const inForce = await keepInForce(deps, (id, active) => shadow.listener(id, active));
  const studies = createStudies(deps, {
    training: training(deps),
    simulation: simulation(deps),
    clusters: groupsCheck(deps),
    evaluation: evaluation(deps),
  });
  const service = createModelsService(deps, studies);
  deps.jobs.define(RELINK_JOB, async (job) => {
    await runRelink(deps, inForce, job);
    // A change of model that was under way at the upgrade kept the keys waiting.
    await keepKeys(deps);
  });
  deps.jobs.define(STUDY_JOB, (job) => studies.work(job));
  return {
    ...service,
    studies,
    inForce,
    async promote(actor, id) {
      const done = await promote(deps, actor, id);
      await inForce.reload();
      return done;
    },
    async rollBack(actor) {
      const done = await rollBack(deps, actor);
      await inForce.reload();
      return done;
    },
    keepKeys: () => keepKeys(deps),
    oldKeys: () => oldKeys(deps),
    async report(actor, id) {
      const { row, report } = await studies.report(id);
      const detail = { study: id, kind: row.kind };
      await deps.audit.recordNow([{ actor, event: 'model.report', action: 'R', outcome: 'success', detail }]);
      return shownReport(row, report);
    },
    routes: modelRoutes({ ...deps, service, studies, inForce, shadow }),
    resealParticipants: resealParticipants(deps.keyRing),
    async stop() {
      await inForce.stop();
      await shadow.stop();
    },
  };
}

export type { ModelsDeps } from './deps.ts';
export type { OldKeys } from './stored-keys.ts';
