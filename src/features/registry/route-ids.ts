/** Ids as they come in an address: what is none is as unknown as what is not there. */
import { parseId, type ResourceId, type ReviewId } from '../../kernel/ids.ts';
import { clientNotFound, reviewNotFound } from './problems.ts';

export function clientId(text: string): ResourceId {
  const id = parseId<ResourceId>(text);
  if (!id) throw clientNotFound();
  return id;
}

export function reviewId(text: string): ReviewId {
  const id = parseId<ReviewId>(text);
  if (!id) throw reviewNotFound();
  return id;
}
