/** Which model decides in this process. Changed while serving, for all that begins afterwards. */
import type { CompiledModel } from '../matching/index.ts';
import type { RegistryDeps } from './deps.ts';
import { createMatcher, type Matcher } from './matcher.ts';
import { createRecords, type Records } from './records.ts';
import type { ShadowListener } from './shadow-note.ts';
import { createShadowScoring } from './shadow-scoring.ts';

export interface ModelsInForce {
  readonly active: CompiledModel;
  /** Models whose blocking keys records may still have: looked for as well, until every record has the active one's. */
  readonly former: readonly CompiledModel[];
  /** Tried beside the active one on every new record. */
  readonly shadow?: { readonly model: CompiledModel; readonly listener: ShadowListener } | undefined;
}

export interface MatchingSeat {
  /** What belongs together: records are prepared by the model that compares them. */
  current(): { readonly matcher: Matcher; readonly records: Records };
  use(models: ModelsInForce): void;
  /** The model of the last `use`; throws before there was one. */
  active(): CompiledModel;
}

export function createMatchingSeat({ keyRing, matcher }: Pick<RegistryDeps, 'keyRing' | 'matcher'>): MatchingSeat {
  let current = { matcher, records: createRecords(keyRing, matcher) };
  let seated: CompiledModel | undefined;
  return {
    current: () => current,
    active() {
      if (!seated) throw new Error('no model was put in force');
      return seated;
    },
    use({ active, former, shadow }) {
      seated = active;
      const next = {
        ...createMatcher(active, former),
        ...(shadow ? { beside: createShadowScoring(shadow.model, shadow.listener) } : {}),
      };
      current = { matcher: next, records: createRecords(keyRing, next) };
    },
  };
}
