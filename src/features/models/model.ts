import type { Branded, UserId } from '../../kernel/ids.ts';
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
  /** Who wants it in force, while a second person is waited for: a writer of the database names nobody here. */
  readonly proposedBy?: UserId;
}

export type { ModelOrigin, StudyKind };
