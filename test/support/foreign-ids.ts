import { newId } from '../../src/crypto/index.ts';
import type { Programme } from './organisations.ts';
import { person } from './registry.ts';
import { type Answer, testAuthority, testLeaf } from './tls.ts';

/** Things of an organisation that have an id. */
export type Kind =
  | 'client'
  | 'record'
  | 'open review'
  | 'decided review'
  | 'upload'
  | 'load'
  | 'node'
  | 'emergency'
  | 'user'
  | 'session'
  | 'token'
  | 'factor'
  | 'entry'
  | 'event'
  | 'saved search'
  | 'organisation';

/** An address that takes an id in its path or its body. */
export interface Address {
  readonly method: string;
  readonly path: string;
  readonly kinds: readonly Kind[];
  readonly body?: (id: string) => unknown;
}

const reason = 'a reason long enough';
const CLIENT: readonly Kind[] = ['client', 'record'];
const REVIEW: readonly Kind[] = ['open review', 'decided review'];
const map = { given: 'given', family: 'family' };
const patient = (id: string) => ({ ...person({ given: 'X', family: 'Y', birthDate: '2000-01-01' }), id });
const reference = (name: string, id: string) => ({ name, valueReference: { reference: `Patient/${id}` } });

const merging = (source: string, target: string) => ({
  resourceType: 'Parameters',
  parameter: [reference('source-patient', source), reference('target-patient', target)],
});

/** A programme in which the south has one of everything, and the north a client of its own. */
export interface ForeignIds {
  readonly p: Programme;
  /** The id of what the south has. */
  their(kind: Kind): string;
  /** The north's own client. */
  readonly own: { readonly source: string; readonly golden: string };
  /** A certificate of nobody's, for where a body needs one. */
  readonly certificate: string;
}

/** Every address of the users' door that takes an id of something an organisation has, with a body that it would take. */
export const addressesOf = (now: () => ForeignIds): readonly Address[] => [
  { method: 'GET', path: '/api/clients/:id', kinds: CLIENT },
  { method: 'GET', path: '/api/clients/:id/history', kinds: CLIENT },
  { method: 'GET', path: '/api/clients/:id/shares', kinds: CLIENT },
  { method: 'GET', path: '/api/clients/:id/accesses', kinds: CLIENT },
  { method: 'GET', path: '/api/clients/:id/disclosures', kinds: CLIENT },
  { method: 'GET', path: '/api/clients/:id/own-view', kinds: CLIENT },
  {
    method: 'POST',
    path: '/api/clients/:id/files',
    kinds: CLIENT,
    body: () => ({ kind: 'disclosures', format: 'csv' }),
  },
  {
    method: 'POST',
    path: '/api/clients/:id/disclosures',
    kinds: CLIENT,
    body: () => ({ to: 'A paper', what: 'All', why: 'no' }),
  },
  { method: 'POST', path: '/api/clients/:id/copied', kinds: CLIENT },
  { method: 'POST', path: '/api/clients/:id/printed', kinds: CLIENT },
  { method: 'POST', path: '/api/clients/:id/saved', kinds: CLIENT },
  {
    method: 'POST',
    path: '/api/clients/:id/shares',
    kinds: CLIENT,
    body: () => ({ organisationId: now().p.organisations.north, reason }),
  },
  {
    method: 'POST',
    path: '/api/clients/:id/shares/end',
    kinds: CLIENT,
    body: () => ({ organisationId: now().p.organisations.north, reason }),
  },
  {
    method: 'POST',
    path: '/api/clients/:id/unlink',
    kinds: ['client'],
    body: () => ({ sourceId: now().their('record'), reason }),
  },
  { method: 'POST', path: '/api/clients/:id/unmerge', kinds: CLIENT, body: () => ({ reason }) },
  {
    method: 'POST',
    path: '/api/clients/:id/undo',
    kinds: ['client'],
    body: () => ({ entryId: now().their('entry'), reason }),
  },
  { method: 'POST', path: '/api/clients/:id/undo', kinds: ['client'], body: () => ({ entryId: newId(), reason }) },
  {
    method: 'POST',
    path: '/api/clients/merge',
    kinds: CLIENT,
    body: (id) => ({ survivor: id, other: newId(), reason }),
  },
  {
    method: 'POST',
    path: '/api/clients/merge',
    kinds: CLIENT,
    body: (id) => ({ survivor: newId(), other: id, reason }),
  },
  { method: 'POST', path: '/api/never-link', kinds: ['record'], body: (id) => ({ a: id, b: newId(), reason }) },
  { method: 'GET', path: '/api/reviews/:id', kinds: REVIEW },
  ...(['link', 'different', 'later'] as const).map((decision) => ({
    ...{ method: 'POST', path: '/api/reviews/:id/decision', kinds: REVIEW, body: () => ({ decision }) },
  })),
  { method: 'POST', path: '/api/reviews/:id/undo', kinds: REVIEW },
  { method: 'POST', path: '/api/reviews/assign', kinds: REVIEW, body: (id) => ({ reviews: [id] }) },
  { method: 'POST', path: '/api/review-groups/:id/accept', kinds: REVIEW },
  { method: 'POST', path: '/api/review-groups/:id/undo', kinds: REVIEW },
  { method: 'POST', path: '/api/quality/checks/:id', kinds: REVIEW, body: () => ({ verdict: 'right' }) },
  { method: 'GET', path: '/api/loads/uploads/:id', kinds: ['upload'] },
  { method: 'DELETE', path: '/api/loads/uploads/:id', kinds: ['upload'] },
  { method: 'POST', path: '/api/loads/uploads/:id/preview', kinds: ['upload'], body: () => ({ map }) },
  {
    method: 'POST',
    path: '/api/loads',
    kinds: ['upload'],
    body: (id) => ({ uploadId: id, domain: 'urn:north:mrn', map }),
  },
  { method: 'GET', path: '/api/loads/:id', kinds: ['load', 'upload'] },
  { method: 'GET', path: '/api/loads/:id/rejected', kinds: ['load'] },
  { method: 'GET', path: '/api/loads/:id/warnings', kinds: ['load'] },
  { method: 'POST', path: '/api/loads/:id/cancel', kinds: ['load'] },
  { method: 'GET', path: '/api/nodes/:id', kinds: ['node'] },
  { method: 'PATCH', path: '/api/nodes/:id', kinds: ['node'], body: () => ({ contact: 'me' }) },
  { method: 'PUT', path: '/api/nodes/:id/keys', kinds: ['node'], body: () => ({}) },
  { method: 'POST', path: '/api/nodes/:id/certificates', kinds: ['node'], body: () => ({}) },
  {
    ...{ method: 'POST', path: '/api/nodes/:id/certificates/:sha256/revoke', kinds: ['node'] },
    body: () => ({ why: 'keyCompromise', reason }),
  },
  { method: 'POST', path: '/api/nodes/:id/invitation', kinds: ['node'] },
  { method: 'POST', path: '/api/nodes/:id/resume', kinds: ['node'] },
  { method: 'POST', path: '/api/nodes/:id/suspend', kinds: ['node'], body: () => ({ reason }) },
  { method: 'POST', path: '/api/nodes/:id/revoke', kinds: ['node'], body: () => ({ reason }) },
  {
    ...{ method: 'POST', path: '/api/nodes/:id/trusted-certificates', kinds: ['node'] },
    body: () => ({ certificate: now().certificate, acceptLong: true }),
  },
  {
    method: 'POST',
    path: '/api/emergencies/:id/review',
    kinds: ['emergency'],
    body: () => ({ verdict: 'justified', note: reason }),
  },
  { method: 'DELETE', path: '/api/sessions/:id', kinds: ['session'] },
  { method: 'DELETE', path: '/api/personal-tokens/:id', kinds: ['token'] },
  { method: 'DELETE', path: '/api/factors/:id', kinds: ['factor'] },
  { method: 'PUT', path: '/api/factors/:id', kinds: ['factor'], body: () => ({ name: 'Mine' }) },
  { method: 'DELETE', path: '/api/trusted-devices/:id', kinds: ['factor', 'session'] },
  { method: 'DELETE', path: '/api/identities/:id', kinds: ['factor'] },
  { method: 'POST', path: '/api/identities/:id/confirm', kinds: ['factor'] },
  { method: 'GET', path: '/api/users/:id', kinds: ['user'] },
  { method: 'GET', path: '/api/users/:id/factors', kinds: ['user'] },
  { method: 'GET', path: '/api/users/:id/sessions', kinds: ['user'] },
  { method: 'GET', path: '/api/users/:id/personal-tokens', kinds: ['user'] },
  { method: 'DELETE', path: '/api/users/:id/personal-tokens/:token', kinds: ['user'] },
  {
    method: 'PUT',
    path: '/api/users/:id/roles',
    kinds: ['user'],
    body: () => ({ roles: ['registrar'], organisationId: now().p.organisations.north }),
  },
  {
    method: 'POST',
    path: '/api/users/:id/memberships',
    kinds: ['user'],
    body: () => ({ organisationId: now().p.organisations.north, roles: ['registrar'] }),
  },
  { method: 'DELETE', path: '/api/users/:id/memberships/:organisation', kinds: ['user'] },
  ...['disable', 'enable', 'retire', 'reset', 'reset-factor', 'invite-again', 'link-identity', 'sessions-end'].map(
    (act) => ({
      ...{ method: 'POST', path: `/api/users/:id/${act}`, kinds: ['user'] as const },
    }),
  ),
  { method: 'POST', path: '/api/rights', kinds: ['user'], body: (id) => ({ userId: id }) },
  {
    method: 'POST',
    path: '/api/access-review/confirm',
    kinds: ['user'],
    body: (id) => ({ userId: id, organisationId: now().p.organisations.north }),
  },
  {
    method: 'POST',
    path: '/api/policy/exceptions',
    kinds: ['user'],
    body: (id) => ({ userId: id, reason, endsAt: '2026-12-01T00:00:00.000Z' }),
  },
  { method: 'GET', path: '/fhir/Patient/:id', kinds: CLIENT },
  { method: 'GET', path: '/fhir/Patient/:id/_history', kinds: CLIENT },
  { method: 'GET', path: '/fhir/Patient/:id/_history/:version', kinds: CLIENT },
  { method: 'PUT', path: '/fhir/Patient/:id', kinds: CLIENT, body: patient },
  {
    ...{ method: 'PUT', path: '/fhir/Patient/:id', kinds: ['record'] },
    body: (id) => ({
      ...patient(id),
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${newId()}` } }],
    }),
  },
  { method: 'DELETE', path: '/fhir/Patient/:id', kinds: CLIENT },
  { method: 'GET', path: '/fhir/RelatedPerson/:id', kinds: CLIENT },
  { method: 'GET', path: '/fhir/RelatedPerson?patient=:id', kinds: CLIENT },
  {
    ...{ method: 'POST', path: '/fhir/Patient/$merge', kinds: CLIENT },
    body: (id) => merging(id, now().own.source),
  },
  { method: 'POST', path: '/fhir/Patient/$merge', kinds: CLIENT, body: (id) => merging(now().own.source, id) },
];

const ok = async (work: Promise<Answer>): Promise<Answer> => {
  const answer = await work;
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
};

/** Makes the south one of everything. */
export async function foreignIds(p: Programme): Promise<ForeignIds> {
  const theirs = new Map<Kind, string>();
  const certificate = (await testLeaf(await testAuthority(), { usage: 'client' })).leaf.pem;
  const own = await p.register('north registrar', {
    ...{ given: 'Peter', family: 'Ochieng', birthDate: '1990-01-02', key: ['urn:north:mrn', 'N-1'] },
  });
  const near = (value: string, more: object = {}) => ({
    ...{ given: 'Zulaika', family: 'Nantongo', birthDate: '1984-03-12', gender: 'female' as const },
    ...{ phone: '+256772000110', key: ['urn:south:mrn', value] as [string, string], ...more },
  });
  const first = await p.register('south registrar', near('S-1'));
  await p.register('south registrar', near('S-2', { birthDate: '1984-03-21', phone: '+256772999888' }));
  await p.register(
    'south registrar',
    near('S-3', { birthDate: '1984-12-03', family: 'Nantango', phone: '+256772999777' }),
  );
  theirs.set('client', first.golden).set('record', first.source);
  const waiting = (await ok(p.ask('south steward', 'GET', '/api/reviews'))).json<{ reviews: { id: string }[] }>();
  const [open, decided] = waiting.reviews;
  if (!open || !decided) throw new Error('two reviews were expected');
  await ok(p.ask('south steward', 'POST', `/api/reviews/${decided.id}/decision`, { decision: 'different' }));
  theirs.set('open review', open.id).set('decided review', decided.id);
  const apart = await ok(
    p.ask('south steward', 'POST', '/api/never-link', {
      a: first.source,
      b: (
        await p.register(
          'south registrar',
          near('S-4', {
            given: 'Peter',
            family: 'Mukasa',
            birthDate: '1950-01-01',
            gender: 'male',
            phone: '+256772111222',
          }),
        )
      ).source,
      reason,
    }),
  );
  theirs.set('entry', apart.json<{ entryId: string }>().entryId);
  const csv = 'id,given,family\n1,Zulaika,Nantongo\n';
  const headers = { 'content-type': 'text/csv', 'x-file-name': 'South clinic.csv' };
  const uploaded = await ok(p.ask('south registrar', 'POST', '/api/loads/uploads', csv, headers));
  const { uploadId, guess } = uploaded.json<{ uploadId: string; guess: object }>();
  const load = { uploadId, domain: 'urn:south:mrn', map: guess, dryRun: true };
  const started = await ok(p.ask('south registrar', 'POST', '/api/loads', load));
  theirs.set('upload', uploadId).set('load', started.json<{ load: { id: string } }>().load.id);
  const node = { name: 'South clinic system', domain: 'urn:south:system', scopes: ['feed'] };
  const added = (await ok(p.ask('south administrator', 'POST', '/api/nodes', node))).json<{ node: { id: string } }>();
  theirs.set('node', added.node.id);
  const emergency = await ok(p.ask('south steward', 'POST', '/api/emergency', { reason, minutes: 5 }));
  theirs.set('emergency', emergency.json<{ id: string }>().id);
  theirs.set('user', p.users.get('south registrar')?.id ?? '');
  const sessions = (await ok(p.ask('south registrar', 'GET', '/api/sessions'))).json<{ sessions: { id: string }[] }>();
  const factors = (await ok(p.ask('south registrar', 'GET', '/api/factors'))).json<Record<string, { id: string }[]>>();
  const wanted = { label: 'nightly', permissions: ['client.read'], days: 7 };
  const token = (await ok(p.ask('south registrar', 'POST', '/api/personal-tokens', wanted))).json<{
    token: { id: string };
  }>();
  theirs.set('session', sessions.sessions[0]?.id ?? '').set('token', token.token.id);
  theirs.set('factor', Object.values(factors).flat()[0]?.id ?? '');
  const searched = await ok(
    p.ask('south administrator', 'POST', '/api/audit/searches', { name: 'Ours', filters: { event: 'client.*' } }),
  );
  theirs.set('saved search', searched.json<{ id: string }>().id);
  const listed = await p.services.audit.search({ actors: [p.users.get('south registrar')?.id ?? ''], limit: 1 });
  theirs.set('event', listed.events[0]?.id ?? '').set('organisation', p.organisations.south);
  for (const [kind, id] of theirs) if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`no id of a ${kind}`);
  return { p, certificate, own, their: (kind) => theirs.get(kind) ?? '' };
}
