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
  'user invite-again': { summary: 'New enrolment link', load: async () => (await import('./user.ts')).userInviteAgain },
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
  'policy require': {
    summary: 'Second factor of a role, an organisation or a person',
    load: async () => (await import('./policy-rules.ts')).policyRequire,
  },
  'policy networks': {
    summary: 'Networks from which a door or a role may be used',
    load: async () => (await import('./policy-rules.ts')).policyNetworks,
  },
  'policy exception': {
    summary: 'Exceptions from a required second factor',
    load: async () => (await import('./policy-rules.ts')).policyException,
  },
  'notice publish': {
    summary: 'Publish a notice to be acknowledged',
    load: async () => (await import('./policy-rules.ts')).noticePublish,
  },
  'notice list': {
    summary: 'Notices and who has read them',
    load: async () => (await import('./policy-rules.ts')).noticeList,
  },
  'notice withdraw': {
    summary: 'Withdraw a notice',
    load: async () => (await import('./policy-rules.ts')).noticeWithdraw,
  },
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
  'import opencr': {
    summary: 'Take over rules and patients from an OpenCR',
    load: async () => (await import('./import.ts')).importOpenCrCommand,
  },
  'domain add': {
    summary: 'Make an identifier domain that no system owns',
    load: async () => (await import('./domain.ts')).domainAdd,
  },
  'domain alias': {
    summary: 'Give an identifier domain another name',
    load: async () => (await import('./domain.ts')).domainAlias,
  },
  'domain list': {
    summary: 'List identifier domains and their other names',
    load: async () => (await import('./domain.ts')).domainList,
  },
  'model list': {
    summary: 'List the registry’s matching models',
    load: async () => (await import('./model-life.ts')).modelList,
  },
  'model add': {
    summary: 'Keep a model document in the registry',
    load: async () => (await import('./model-life.ts')).modelAdd,
  },
  'model learn': {
    summary: 'Train a model on the registry’s own records',
    load: async () => (await import('./model-life.ts')).modelLearn,
  },
  'model simulate': {
    summary: 'Say what a model would change, and change nothing',
    load: async () => (await import('./model-life.ts')).modelSimulate,
  },
  'model activate': {
    summary: 'Let a model decide, and go over all records with it',
    load: async () => (await import('./model-life.ts')).modelActivate,
  },
  'model roll-back': {
    summary: 'Let the model before decide again, and take back what the last one linked',
    load: async () => (await import('./model-life.ts')).modelRollBack,
  },
  'model train': {
    summary: 'Train a matching model on a file, without labels',
    load: async () => (await import('./model.ts')).modelTrain,
  },
  'model show': {
    summary: 'Show what a matching model says',
    load: async () => (await import('./model.ts')).modelShow,
  },
  'model check': {
    summary: 'Check a matching model document',
    load: async () => (await import('./model.ts')).modelCheck,
  },
  'node add': {
    summary: 'Register a system and issue its certificate',
    load: async () => (await import('./node.ts')).nodeAdd,
  },
  'node list': { summary: 'List the systems', load: async () => (await import('./node.ts')).nodeList },
  'node revoke': { summary: 'End a system’s access', load: async () => (await import('./node.ts')).nodeRevoke },
  'node suspend': {
    summary: 'Stop a system’s access for a while',
    load: async () => (await import('./node.ts')).nodeSuspend,
  },
  'node resume': {
    summary: 'Let a suspended system in again',
    load: async () => (await import('./node.ts')).nodeResume,
  },
  'node certificate': {
    summary: 'Issue a further certificate',
    load: async () => (await import('./node.ts')).nodeCertificate,
  },
  'node keys': {
    summary: 'Public keys for signed token requests',
    load: async () => (await import('./node.ts')).nodeKeys,
  },
  'node confirm': {
    summary: 'Vouch for a system written by other means',
    load: async () => (await import('./node.ts')).nodeConfirm,
  },
  'sandbox create': {
    summary: 'Made-up people and a node, for trying an integration',
    load: async () => (await import('./sandbox.ts')).sandboxCreate,
  },
  'forwarding list': {
    summary: 'Where audit events are sent to',
    load: async () => (await import('./forwarding.ts')).forwardingList,
  },
  'forwarding add': {
    summary: 'Send audit events to another repository',
    load: async () => (await import('./forwarding.ts')).forwardingAdd,
  },
  'forwarding remove': {
    summary: 'Send audit events there no longer',
    load: async () => (await import('./forwarding.ts')).forwardingRemove,
  },
  'trust list': { summary: 'Authorities of others', load: async () => (await import('./trust.ts')).trustList },
  'trust add': {
    summary: 'Trust an authority of somebody else',
    load: async () => (await import('./trust.ts')).trustAdd,
  },
  'trust rule': {
    summary: 'Say whom its certificates speak for',
    load: async () => (await import('./trust.ts')).trustRule,
  },
  'trust crl': {
    summary: 'Take over its list of revoked certificates',
    load: async () => (await import('./trust.ts')).trustCrl,
  },
  'trust remove': { summary: 'Trust it no longer', load: async () => (await import('./trust.ts')).trustRemove },
  'ca status': { summary: 'Careseal’s own authorities', load: async () => (await import('./ca.ts')).caStatus },
  'ca take-root-away': {
    summary: 'Keep the root’s key elsewhere',
    load: async () => (await import('./ca.ts')).caTakeRootAway,
  },
  'ca renew': { summary: 'Make the next issuing authority', load: async () => (await import('./ca.ts')).caRenew },
  'audit verify': {
    summary: 'Recompute the whole audit log',
    load: async () => (await import('./audit.ts')).auditVerify,
  },
  'audit head': {
    summary: 'Print the signed head of the audit log',
    load: async () => (await import('./audit.ts')).auditHead,
  },
  'audit erase': {
    summary: 'Destroy what old events, or those about a client, say',
    load: async () => (await import('./audit-retention.ts')).auditErase,
  },
  'audit set-aside': {
    summary: 'Enter into the log that a batch is damaged, and number those behind it',
    load: async () => (await import('./audit-retention.ts')).auditSetAside,
  },
  'audit hold': {
    summary: 'Place a legal hold',
    load: async () => (await import('./audit-retention.ts')).auditHold,
  },
  'audit release': {
    summary: 'Release a legal hold',
    load: async () => (await import('./audit-retention.ts')).auditRelease,
  },
  'audit holds': {
    summary: 'List the legal holds that stand',
    load: async () => (await import('./audit-retention.ts')).auditHolds,
  },
  'audit export': {
    summary: 'Write an event or the tree for somebody outside',
    load: async () => (await import('./audit.ts')).auditExport,
  },
  'registry check': {
    summary: 'Find clients that were changed in the database, past Careseal',
    load: async () => (await import('./registry-check.ts')).registryCheck,
  },
  'registry repair': {
    summary: 'Put such clients right, as far as what they were is proven',
    load: async () => (await import('./registry-repair.ts')).registryRepair,
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
