import type { Command } from './command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command. Its file is loaded when it is called for, so that one command does not pay for the others. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  start: { summary: 'Start the server', load: async () => (await import('./start.ts')).start },
  setup: {
    summary: 'Make a new set-up link for the first administrator',
    load: async () => (await import('./setup.ts')).setup,
  },
  'user add': { summary: 'Invite a person', load: async () => (await import('./user.ts')).userAdd },
  'user list': { summary: 'List the users', load: async () => (await import('./user.ts')).userList },
  'user disable': { summary: 'End a person’s access', load: async () => (await import('./user.ts')).userDisable },
  'user enable': { summary: 'Give access back', load: async () => (await import('./user.ts')).userEnable },
  'user reset': {
    summary: 'New password and second factor by link',
    load: async () => (await import('./user.ts')).userReset,
  },
  'user retire': { summary: 'Retire who has left', load: async () => (await import('./user.ts')).userRetire },
  'user reset-factor': {
    summary: 'New second factor by link and password',
    load: async () => (await import('./user.ts')).userResetFactor,
  },
  'user recover': {
    summary: 'Bring an administrator back who cannot get in',
    load: async () => (await import('./user.ts')).userRecover,
  },
  'user sessions': {
    summary: 'List or end the sessions of a person',
    load: async () => (await import('./user.ts')).userSessions,
  },
  'policy get': { summary: 'How people sign in', load: async () => (await import('./policy.ts')).policyGet },
  'policy set': { summary: 'Change how people sign in', load: async () => (await import('./policy.ts')).policySet },
  'user invite-again': { summary: 'New enrolment link', load: async () => (await import('./user.ts')).userInviteAgain },
  witness: {
    summary: 'Watch the audit logs of others',
    load: async () => (await import('./witness.ts')).witness,
  },
  load: {
    summary: 'Load a CSV or NDJSON file of client records',
    load: async () => (await import('./load.ts')).load,
  },
  'encodings key': {
    summary: 'Make the secret of a private linkage between two programmes',
    load: async () => (await import('./encodings.ts')).encodingsKey,
  },
  'encodings export': {
    summary: 'Encode clients for a private linkage',
    load: async () => (await import('./encodings.ts')).encodingsExport,
  },
  'encodings match': {
    summary: 'Compare two encoded files',
    load: async () => (await import('./encodings.ts')).encodingsMatch,
  },
  'encodings resolve': {
    summary: 'Put one’s own records beside the pairs found',
    load: async () => (await import('./encodings.ts')).encodingsResolve,
  },
  evaluate: {
    summary: 'Link a file and judge the result by its known truth',
    load: async () => (await import('./evaluate.ts')).evaluate,
  },
  'node add': {
    summary: 'Register a system and issue its certificate',
    load: async () => (await import('./node.ts')).nodeAdd,
  },
  'node list': { summary: 'List the systems', load: async () => (await import('./node.ts')).nodeList },
  'node revoke': { summary: 'End a system’s access', load: async () => (await import('./node.ts')).nodeRevoke },
  'audit verify': {
    summary: 'Recompute the whole audit log',
    load: async () => (await import('./audit.ts')).auditVerify,
  },
  'audit head': {
    summary: 'Print the signed head of the audit log',
    load: async () => (await import('./audit.ts')).auditHead,
  },
  'keys list': { summary: 'List the keys and their states', load: async () => (await import('./keys.ts')).keysList },
  'keys rotate': {
    summary: 'Replace keys, also while serving',
    load: async () => (await import('./keys.ts')).keysRotate,
  },
  config: { summary: 'Show the effective settings', load: async () => (await import('./config.ts')).config },
};

/** Finds `node add` before `node`: the longest name that the words begin with. */
export function findCommand(words: readonly string[]): { readonly name: string; readonly rest: string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    if (Object.hasOwn(COMMANDS, name)) return { name, rest: words.slice(length) };
  }
  return undefined;
}
