/** Which model decides in this process. Changed while serving, for all that begins afterwards. */
import type { CompiledModel } from '../matching/index.ts';
import type { RegistryDeps } from './deps.ts';
import { createMatcher, type Matcher } from './matcher.ts';
import { createRecords, type Records } from './records.ts';

export interface ModelsInForce {
  readonly active: CompiledModel;
  /** Models whose blocking keys records may still have: looked for as well, until every record has the active one's. */
  readonly former: readonly CompiledModel[];
}

export interface MatchingSeat {
  /** What belongs together: records are prepared by the model that compares them. */
  current(): { readonly matcher: Matcher; readonly records: Records };
  use(models: ModelsInForce): void;
}

export function createMatchingSeat({ keyRing, matcher }: Pick<RegistryDeps, 'keyRing' | 'matcher'>): MatchingSeat {
  let current = { matcher, records: createRecords(keyRing, matcher) };
  return {
    current: () => current,
    use({ active, former }) {
      const next = createMatcher(active, former);
      current = { matcher: next, records: createRecords(keyRing, next) };
    },
  };
}
