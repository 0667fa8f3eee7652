import type { Branded } from '../../kernel/ids.ts';
import type { ModelOrigin, StudyKind } from './wire.ts';

export type ModelId = Branded<'ModelId'>;
export type StudyId = Branded<'StudyId'>;

export type ModelsProblemCode =
  | 'model-not-found'
  | 'model-exists'
  | 'model-unsound'
  | 'model-invalid'
  | 'model-active'
  | 'models-busy'
  | 'simulate-first'
  | 'second-person-needed'
  | 'nothing-to-roll-back'
  | 'study-not-found'
  | 'study-running'
  | 'too-few-records'
  | 'too-few-labels'
  | 'example-not-found'
  | 'file-too-large'
  | 'file-not-csv'
  | 'upload-not-found'
  | 'registry-empty';

/** What is kept sealed beside a model. */
export interface ModelDetailKept {
  readonly notes: string;
  readonly createdBy: string;
}

export type { ModelOrigin, StudyKind };
