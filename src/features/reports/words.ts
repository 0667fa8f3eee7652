/** Plain words for what was done with a client's data, for people who never heard of events. Pure. */
const WORDS: Readonly<Record<string, string>> = {
  'client.read': 'Looked at the record',
  'client.vread': 'Looked at an earlier version of the record',
  'client.history': 'Looked at the history of the record',
  'client.search': 'Found the record in a search',
  'client.match': 'Was shown the record as a possible match',
  'client.create': 'Made the record',
  'client.update': 'Changed the record',
  'client.delete': 'Removed the record',
  'client.link': 'Joined records of the same person',
  'client.unlink': 'Separated records',
  'client.merge': 'Joined two entries of the same person',
  'client.unmerge': 'Undid a joining of entries',
  'client.never-link': 'Marked records as different people',
  'client.explain': 'Looked at why records belong together',
  'client.erase': 'Erased the record',
  'client.bundle': 'Handled the record together with others',
  'client.copy': 'Copied from the record',
  'client.print': 'Printed the record',
  'client.export': 'Saved the record as a file',
  'client.disclose': 'Gave information to somebody outside',
  'client.own-view': 'Made this list for the client',
  'review.list': 'Saw the record in the list of reviews',
  'review.read': 'Compared the record with another one',
  'review.decide': 'Decided whether records are the same person',
  'review.undo': 'Undid such a decision',
  'audit.client': 'Looked at who used the record',
  'audit.list': 'Looked at who used the record',
  'audit.report': 'Made a report on who used the record',
  'audit.export': 'Saved a report on who used the record',
};

const FALLBACK = 'Used the record';

export function plainWords(event: string, title: string | undefined): string {
  return WORDS[event] ?? title ?? FALLBACK;
}

/** Acts by which data leaves Careseal for a person's hands. */
export const FILE_EVENTS = ['client.copy', 'client.print', 'client.export', 'client.own-view'] as const;
/** What another system is given. */
export const SYSTEM_EVENTS = [
  'client.read',
  'client.vread',
  'client.history',
  'client.search',
  'client.match',
  'client.pix',
  'client.bundle',
  'client.transaction',
] as const;

/** Codes that refusals carry where a person's reason stands otherwise. */
export function isPersonsReason(reason: string | undefined, outcome: string): reason is string {
  return reason !== undefined && outcome === 'success';
}
