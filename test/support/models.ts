import { DEFAULT_MODEL, type MatchingModel } from '../../src/features/matching/index.ts';
import { createLoad, type Load } from '../../src/features/load/index.ts';
import { createModels, type Models, type ModelsDeps } from '../../src/features/models/index.ts';
import { createJobs, type Jobs } from '../../src/platform/jobs/index.ts';
import type { RouteDeclaration, RouteRequest } from '../../src/platform/http/route.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { userActor } from './audit.ts';
import { type RegistryFixture, registryFixture } from './registry.ts';
import { handled } from './handled.ts';

export interface ModelsFixture extends RegistryFixture {
  readonly models: Models;
  readonly jobs: Jobs;
  readonly load: Load;
  /** Another process on the same database. */
  another(): Promise<{ readonly models: Models; readonly jobs: Jobs }>;
  call<T>(path: string, parts?: { params?: object; body?: object; actor?: Actor }): Promise<T>;
}

/** The registry with its models, jobs and all, everything real. */
export async function modelsFixture(more: Partial<ModelsDeps> = {}): Promise<ModelsFixture> {
  const f = await registryFixture();
  const { database } = f.db;
  const load = createLoad({
    ...{ database, keyRing: f.keyRing, audit: f.audit, registry: f.registry, domains: f.nodes.domains, clock: f.clock },
    jobs: createJobs({ database, log: silentLogger(), runner: 'loads' }),
    stillMay: () => Promise.resolve(true),
  });
  const another = async () => {
    const jobs = createJobs({ database, log: silentLogger(), runner: 'test', pollMs: 50 });
    const models = await createModels({
      ...{ database, keyRing: f.keyRing, audit: f.audit, jobs, clock: f.clock },
      registry: f.registry.models,
      shipped: DEFAULT_MODEL,
      uploads: load.uploads,
      settleMs: 1,
      onReloadFailed: (error) => {
        throw error;
      },
      ...more,
    });
    return { models, jobs };
  };
  const first = await another();
  return {
    ...f,
    ...first,
    load,
    another,
    async call<T>(path: string, parts: { params?: object; body?: object; actor?: Actor } = {}) {
      const [method, url] = path.split(' ');
      const routes: readonly RouteDeclaration[] = [...first.models.routes, ...f.registry.routes];
      const found = routes.find((one) => one.method === method && one.path === url);
      if (!found) throw new Error(`no route ${path}`);
      const { body, params } = found.input;
      const request = {
        actor: parts.actor ?? userActor,
        params: params.parse(parts.params ?? {}),
        query: {},
        body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
      } as unknown as RouteRequest<never, never, never>;
      const reply = await handled(found, request);
      if (typeof found.output !== 'string') found.output.parse(reply.body);
      return reply.body as T;
    },
    async close() {
      await first.jobs.stop();
      await first.models.stop();
      await f.close();
    },
  };
}

/** The shipped model under another name, changed. */
export function variant(version: string, change: Partial<MatchingModel> = {}): MatchingModel {
  return { ...DEFAULT_MODEL, version, ...change };
}
