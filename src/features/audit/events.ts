/**
 * Every event there is, with its plain name and its FHIR shape. Closed: a name that is not here does not compile where it is
 * recorded, and a route that declares one keeps the server from starting. Names are written into leaves and stay for ever;
 * add new ones, never change or reuse one.
 */
export interface EventShape {
  /** Plain words for pages. */
  readonly title: string;
  /** AuditEvent.type: `rest`, or a DICOM audit event id. */
  readonly type: 'rest' | DicomCode;
  /** AuditEvent.subtype[0]: a FHIR interaction for `rest`, else a DICOM event type. */
  readonly subtype?: string;
  /** Code system of `subtype` where it is neither of these two. */
  readonly subtypeSystem?: string;
}

/** DICOM PS3.16 CID 400 and 401, as far as Careseal uses them. */
export const DICOM = {
  '110100': 'Application Activity',
  '110101': 'Audit Log Used',
  '110106': 'Export',
  '110107': 'Import',
  '110110': 'Patient Record',
  '110112': 'Query',
  '110113': 'Security Alert',
  '110114': 'User Authentication',
  '110120': 'Application Start',
  '110121': 'Application Stop',
  '110122': 'Login',
  '110123': 'Logout',
  '110126': 'Node Authentication',
  '110127': 'Emergency Override Started',
  '110129': 'Security Configuration',
  '110131': 'Software Configuration',
  '110132': 'Use of Restricted Function',
  '110135': 'Object Security Attributes Changed',
  '110136': 'Security Roles Changed',
  '110137': 'User Security Attributes Changed',
} as const;
export type DicomCode = keyof typeof DICOM;

const rest = (subtype: string, title: string): EventShape => ({ title, type: 'rest', subtype });
const signIn = (title: string): EventShape => ({ title, type: '110114', subtype: '110122' });
const signOut = (title: string): EventShape => ({ title, type: '110114', subtype: '110123' });
const application = (subtype: DicomCode, title: string): EventShape => ({ title, type: '110100', subtype });
const security = (subtype: DicomCode, title: string): EventShape => ({ title, type: '110113', subtype });
const alert = (title: string): EventShape => ({ title, type: '110113' });
const record = (title: string): EventShape => ({ title, type: '110110' });
const imported = (title: string): EventShape => ({ title, type: '110107' });
const auditLog = (title: string): EventShape => ({ title, type: '110101' });
const exported = (title: string): EventShape => ({ title, type: '110106' });
/** BALP's privacy disclosure. */
const disclosed = (title: string): EventShape => ({
  title,
  type: '110106',
  subtype: 'disclose',
  subtypeSystem: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
});

export const EVENTS = {
  'client.read': rest('read', 'Client read'),
  'client.vread': rest('vread', 'Client version read'),
  'client.history': rest('history-instance', 'Client history read'),
  'client.search': rest('search-type', 'Clients searched'),
  'client.create': rest('create', 'Client created'),
  'client.update': rest('update', 'Client updated'),
  'client.delete': rest('delete', 'Client deleted'),
  'client.match': rest('operation', 'Clients matched'),
  'client.pix': rest('operation', 'Identifiers cross-referenced'),
  'client.feed': rest('operation', 'Identity feed processed'),
  'related.read': rest('read', 'Related person read'),
  'related.search': rest('search-type', 'Related persons searched'),
  'client.link': record('Records linked'),
  'client.unlink': record('Records separated'),
  'client.merge': record('Clients merged'),
  'client.unmerge': record('Merge undone'),
  'client.undo': record('Decision about a client taken back'),
  'client.never-link': record('Records marked as different people'),
  'client.explain': record('Link explained'),
  'client.erase': record('Client erased'),
  'client.bundle': rest('batch', 'Bundle processed'),
  'client.transaction': rest('transaction', 'Transaction processed'),
  'review.list': record('Reviews listed'),
  'review.read': record('Review read'),
  'review.decide': record('Review decided'),
  'review.undo': record('Review decision undone'),
  'review.bulk-list': record('Groups of reviews looked at'),
  'review.bulk-begin': record('Sample of reviews drawn'),
  'review.bulk-accept': record('Reviews accepted together'),
  'review.bulk-undo': record('Reviews accepted together taken back'),
  'quality.read': record('Quality looked at'),
  'quality.draw': record('Links drawn for a second look'),
  'quality.look': record('Link looked at again'),
  'quality.judge': record('Link judged again'),
  'review.assign': record('Reviews handed over'),
  'review.reviewers': record('Reviewers listed'),
  'review.rules': record('Rules of reviewing looked at'),
  'review.rules-change': record('Rules of reviewing changed'),
  'model.list': application('110132', 'Matching models listed'),
  'model.read': application('110132', 'Matching model looked at'),
  'model.export': exported('Matching model downloaded'),
  'model.add': application('110131', 'Matching model added'),
  'model.study': application('110131', 'Study of a matching model begun'),
  'model.study-cancel': application('110131', 'Study of a matching model cancelled'),
  'model.report': application('110132', 'Report on a matching model read'),
  'model.example': record('Pair of an example looked at'),
  'model.promote': application('110131', 'Matching model promoted'),
  'model.roll-back': application('110131', 'Matching model rolled back'),
  'model.re-link': application('110131', 'Records gone over again'),
  'model.re-link-cancel': application('110131', 'Going over records cancelled'),
  'model.shadow': application('110131', 'Matching model tried beside the active one'),
  'load.upload': imported('File uploaded'),
  'load.discard': imported('Uploaded file deleted'),
  'load.start': imported('Load started'),
  'load.list': imported('Uploaded files listed'),
  'load.read': imported('Load looked at'),
  'load.rejected': imported('Rejected rows downloaded'),
  'load.cancel': imported('Load cancelled'),
  'load.finish': imported('Load finished'),
  'mapping.list': imported('Mappings listed'),
  'mapping.save': imported('Mapping saved'),
  'mapping.delete': imported('Mapping deleted'),
  'node.list': security('110126', 'Nodes listed'),
  'node.add': security('110126', 'Node added'),
  'node.revoke': security('110126', 'Node revoked'),
  'node.authenticate': { title: 'Node authentication', type: '110114', subtype: '110126' },
  'node.update': security('110126', 'Node changed'),
  'node.suspend': security('110126', 'Node suspended'),
  'node.resume': security('110126', 'Node let in again'),
  'node.confirm': security('110126', 'Node confirmed'),
  'node.invite': security('110126', 'Node invited'),
  'node.enrol': security('110126', 'Node enrolled'),
  'node.renew': security('110126', 'Node renewed its certificate'),
  'node.keys': security('110126', 'Keys of a node changed'),
  'node.read': security('110126', 'Node looked at'),
  'certificate.issue': security('110126', 'Certificate issued'),
  'certificate.learn': security('110126', 'Certificate of a trusted authority seen first'),
  'certificate.revoke': security('110126', 'Certificate revoked'),
  'certificate.ending': security('110126', 'Certificate about to end'),
  'trust.list': security('110126', 'Trusted authorities listed'),
  'trust.add': security('110126', 'Trust added'),
  'trust.remove': security('110126', 'Trust removed'),
  'trust.crl': security('110126', 'List of revoked certificates taken over'),
  'token.issue': { title: 'Access token issued', type: '110114', subtype: '110122' },
  'call.list': application('110132', 'Calls of nodes looked at'),
  'domain.list': security('110135', 'Domains listed'),
  'domain.claim': security('110135', 'Domain claimed'),
  'domain.alias': security('110135', 'Alias of a domain changed'),
  'hl7.pix': { title: 'Identifiers cross-referenced by HL7 v2', type: '110112' },
  'hl7.search': { title: 'Clients searched by HL7 v2', type: '110112' },
  'hl7.refused': { title: 'HL7 v2 message refused', type: '110110' },
  'subscription.create': rest('create', 'Subscription made'),
  'subscription.read': rest('read', 'Subscription read'),
  'subscription.update': rest('update', 'Subscription changed'),
  'subscription.delete': rest('delete', 'Subscription ended'),
  'subscription.search': rest('search-type', 'Subscriptions searched'),
  'subscription.deliver': { title: 'Change told to a subscriber', type: '110106' },
  'delivery.list': application('110132', 'Deliveries looked at'),
  'delivery.rerun': application('110132', 'Deliveries sent again'),
  'user.list': security('110137', 'Users listed'),
  'user.add': security('110137', 'User added'),
  'user.disable': security('110137', 'User disabled'),
  'user.enable': security('110137', 'User enabled'),
  'user.reset': security('110137', 'User sign-in reset'),
  'user.invite-again': security('110137', 'User invited again'),
  'user.link-identity': security('110137', 'Link made to link an identity at a provider'),
  'user.roles': security('110136', 'User roles changed'),
  'user.join': security('110136', 'User joined an organisation'),
  'user.leave': security('110136', 'User left an organisation'),
  'user.rights': security('110137', 'Rights of a user explained'),
  'organisation.list': security('110135', 'Organisations listed'),
  'organisation.add': security('110135', 'Organisation added'),
  'organisation.rename': security('110135', 'Organisation renamed'),
  'organisation.ceiling': security('110136', 'Ceiling of an organisation changed'),
  'organisation.retire': security('110136', 'Organisation retired'),
  'organisation.restore': security('110136', 'Organisation restored'),
  'role.list': security('110136', 'Roles listed'),
  'role.add': security('110136', 'Role added'),
  'role.change': security('110136', 'Role changed'),
  'role.retire': security('110136', 'Role retired'),
  'access-review.list': security('110137', 'Access review listed'),
  'access-review.confirm': security('110137', 'Access confirmed in review'),
  'emergency.start': security('110127', 'Glass broken: emergency access begun'),
  'emergency.end': security('110127', 'Emergency access ended'),
  'emergency.list': security('110127', 'Emergency accesses listed'),
  'emergency.review': security('110127', 'Emergency access reviewed'),
  'personal-token.list': security('110137', 'Personal access tokens listed'),
  'personal-token.make': security('110137', 'Personal access token made'),
  'personal-token.revoke': security('110137', 'Personal access token revoked'),
  'provider.list': security('110129', 'Identity providers listed'),
  'provider.add': security('110129', 'Identity provider added'),
  'provider.change': security('110129', 'Identity provider changed'),
  'provider.check': security('110129', 'Identity provider tested'),
  'provider.retire': security('110129', 'Identity provider retired'),
  'provider.link': security('110137', 'Identity at a provider linked'),
  'provider.confirm': security('110137', 'Identity at a provider confirmed by its owner'),
  'provider.unlink': security('110137', 'Identity at a provider unlinked'),
  'sign-in.provider': signIn('Sign-in: identity provider'),
  'client.share': record('Client shared with an organisation'),
  'client.unshare': record('Sharing of a client ended'),
  'client.shares': record('Sharing of a client looked at'),
  'session.act-in': signIn('Session changed to another organisation'),
  'link.look': security('110137', 'One-time link opened'),
  'setup.link': security('110137', 'Set-up link made'),
  'setup.account': security('110137', 'First administrator set up'),
  'setup.confirm': signIn('First administrator confirmed'),
  'enrol.account': security('110137', 'Enrolment begun'),
  'enrol.confirm': signIn('Enrolment confirmed'),
  'sign-in.password': signIn('Sign-in: password'),
  'sign-in.code': signIn('Sign-in: second factor'),
  'sign-in.recovery-code': signIn('Sign-in: recovery code'),
  'sign-out': signOut('Sign-out'),
  'session.list': signIn('Sessions listed'),
  'session.end': signOut('Session ended'),
  'session.end-all': signOut('All sessions ended'),
  'step-up': signIn('Proved again who it is'),
  'sign-in.passkey': signIn('Sign-in: passkey'),
  'sign-in.trusted-device': signIn('Sign-in: trusted device'),
  'sign-in.password-only': signIn('Sign-in without second factor'),
  'sign-in.banned': alert('Network banned from signing in'),
  'identity.changed': alert('Rights or ways in changed past Careseal'),
  'identity.bound': security('110129', 'Rights and ways in of an earlier version bound'),
  'registry.changed': alert('Whose a client is changed past Careseal'),
  'registry.check': application('110132', 'Registry checked for changes past Careseal'),
  'registry.repair': record('Client put right that was changed past Careseal'),
  'registry.bound': security('110129', 'Whose clients are, as an earlier version wrote it, bound'),
  'ban.list': security('110137', 'Bans listed'),
  'ban.lift': security('110137', 'Ban lifted'),
  'factor.list': security('110137', 'Second factors listed'),
  'factor.begin': security('110137', 'Second factor begun'),
  'factor.add': security('110137', 'Second factor added'),
  'factor.rename': security('110137', 'Second factor renamed'),
  'factor.remove': security('110137', 'Second factor removed'),
  'recovery-codes.make': security('110137', 'Recovery codes made'),
  'trusted-device.remove': security('110137', 'Trusted device removed'),
  'password.change': security('110137', 'Password changed'),
  'password.forgotten': security('110137', 'Password reset asked for'),
  'password.reset': security('110137', 'Password reset'),
  'profile.change': security('110137', 'Own profile changed'),
  'policy.read': security('110129', 'Policy looked at'),
  'policy.change': security('110129', 'Policy changed'),
  'policy.requirement': security('110129', 'Second-factor rule changed'),
  'policy.networks': security('110129', 'Allowed networks changed'),
  'policy.exception': security('110129', 'Second-factor exception granted'),
  'policy.exception-end': security('110129', 'Second-factor exception ended'),
  'notice.list': security('110137', 'Notices listed'),
  'notice.add': security('110137', 'Notice published'),
  'notice.withdraw': security('110137', 'Notice withdrawn'),
  'notice.acknowledge': security('110137', 'Notice acknowledged'),
  'user.import': security('110137', 'Users imported'),
  'user.retire': security('110137', 'User retired'),
  'user.reset-factor': security('110137', 'Second factor reset'),
  'user.recover': security('110137', 'Administrator recovered at the command line'),
  'user.sessions': security('110137', 'Sessions of a user listed'),
  'user.sessions-end': security('110137', 'Sessions of a user ended'),
  'access.refused': security('110132', 'Access refused'),
  'audit.list': auditLog('Audit log searched'),
  'audit.read': auditLog('Audit event read'),
  'audit.verify': auditLog('Audit log verified'),
  'audit.erase': auditLog('Audit content erased'),
  'audit.set-aside': alert('Damaged batch of audit events set aside'),
  'audit.hold': auditLog('Legal hold placed'),
  'audit.release': auditLog('Legal hold released'),
  'audit.activity': auditLog('Activity looked at'),
  'audit.report': auditLog('User action report made'),
  'audit.export': exported('Audit report saved as a file'),
  'audit.client': auditLog('Who looked at a client was asked'),
  'audit.saved': auditLog('Saved searches used'),
  'audit.retrieve': auditLog('Audit events retrieved by a system'),
  'audit.receive': imported('Audit events of another system received'),
  'audit.received': auditLog('Received audit events looked at'),
  'audit.sender-refused': security('110126', 'Sender of audit events refused'),
  'client.copy': exported('Client copied from the page'),
  'client.print': exported('Client printed'),
  'client.export': exported('Client saved as a file'),
  'client.disclose': disclosed('Disclosure recorded'),
  'client.encode': disclosed('Client encoded for linkage with another programme'),
  'client.own-view': exported('Access list made for a client'),
  'forwarding.list': security('110129', 'Audit forwarding looked at'),
  'forwarding.add': security('110129', 'Audit receiver added'),
  'forwarding.change': security('110129', 'Audit receiver changed'),
  'forwarding.remove': security('110129', 'Audit receiver removed'),
  'forwarding.skip': alert('Audit event could not be forwarded'),
  'alert.raise': alert('Alert raised'),
  'alert.list': auditLog('Alerts looked at'),
  'alert.acknowledge': alert('Alert acknowledged'),
  'alert.close': alert('Alert closed'),
  'alert.rule': security('110129', 'Alert rule changed'),
  'home.read': application('110132', 'Overview looked at'),
  'keys.create': security('110129', 'Keys made'),
  'keys.rotate': security('110129', 'Keys rotated'),
  'authority.make': security('110129', 'Certificate authority made'),
  'authority.root-away': security('110129', 'Root key taken elsewhere'),
  'authority.root-back': security('110129', 'Root key used from elsewhere'),
  'certificate.renew': security('110129', 'Server certificate renewed'),
  'config.show': application('110131', 'Configuration shown'),
  'config.change': security('110129', 'Configuration changed'),
  'server.start': application('110120', 'Server started'),
  'server.stop': application('110121', 'Server stopped'),
} as const satisfies Record<string, EventShape>;

export type AuditEventName = keyof typeof EVENTS;

export function isAuditEventName(name: string): name is AuditEventName {
  return Object.hasOwn(EVENTS, name);
}

/** Shape of an event; undefined for a name that is not in the table. */
export function eventShape(name: string): EventShape | undefined {
  return isAuditEventName(name) ? EVENTS[name] : undefined;
}

/** Names of a filter: one name, or all of a family (`client.*`). Empty when nothing answers to it. */
export function eventNames(filter: string): AuditEventName[] {
  if (isAuditEventName(filter)) return [filter];
  if (!filter.endsWith('.*')) return [];
  const family = filter.slice(0, -1);
  return Object.keys(EVENTS)
    .filter(isAuditEventName)
    .filter((name) => name.startsWith(family));
}

/** The names of these routes that are in no table; the server refuses to start unless this is empty. */
export function unknownEvents(
  routes: readonly { readonly audit: { readonly kind: 'event'; readonly event: string } | { readonly kind: 'none' } }[],
): string[] {
  const names = routes.map((route) => (route.audit.kind === 'event' ? route.audit.event : undefined));
  return [...new Set(names.filter((name): name is string => name !== undefined && !isAuditEventName(name)))];
}
