import { serveThread } from '../../platform/threads/index.ts';
import { Hand, type Shared, type TaskKind, type Tasks } from './work.ts';

/** A thread that lends a hand; started by `team.ts`. */
export type Message = { readonly share: Shared } | { readonly kind: TaskKind; readonly task: Tasks[TaskKind] };

const hand = new Hand();
serveThread((message) => {
  // Only team.ts sends messages here, and only of this shape.
  const asked = message as Message;
  if (!('share' in asked)) return hand.perform(asked.kind, asked.task);
  hand.share(asked.share);
  return undefined;
});
