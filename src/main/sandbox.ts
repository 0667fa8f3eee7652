import { newId } from '../crypto/index.ts';
import { parsePatient, type ValidPatient } from '../fhir/index.ts';
import type { AddedNode } from '../features/nodes/index.ts';
import { NODE_SCOPES } from '../kernel/access.ts';
import type { OrganisationId } from '../kernel/ids.ts';
import type { Actor } from '../kernel/principal.ts';
import type { Services } from './services.ts';

/** The identifier system of made-up people; nothing real may use it. */
export const SANDBOX_DOMAIN = 'urn:careseal:sandbox';

export interface Sandbox {
  readonly organisationId: OrganisationId;
  readonly added: AddedNode;
  readonly people: number;
}

/**
 * A place to try an integration: an organisation of its own with one node that may do everything, and made-up people that
 * nobody could take for real ones. They are clients like any other, so that everything can be tried on them.
 */
export async function createSandbox(services: Services, actor: Actor): Promise<Sandbox> {
  const { identity, nodes, registry } = services;
  const { organisation } = await identity.addOrganisation(actor, { name: 'Sandbox' });
  const organisationId = organisation.id;
  const wanted = { name: 'Sandbox system', domain: SANDBOX_DOMAIN, scopes: NODE_SCOPES, organisationId };
  const added = await nodes.addNode(actor, wanted);
  const domain = await nodes.domains.resolve(SANDBOX_DOMAIN);
  if (domain === undefined) throw new Error('A domain that was just made is not there.');
  const people = madeUpPeople();
  const sender = senderOf(added, organisationId);
  await registry.submit(
    sender,
    people.map((patient, index) => ({ kind: 'upsert', domain, key: keyOf(index), patient })),
  );
  return { organisationId, added, people: people.length };
}

/** The sandbox's node, as if it had sent its people itself: records belong to whoever sent them. */
function senderOf({ node }: AddedNode, organisationId: OrganisationId): Actor {
  return {
    principal: {
      kind: 'node',
      nodeId: node.id,
      name: node.name,
      organisationId,
      domains: node.domains,
      permissions: new Set(['client.read', 'client.write']),
      scopes: new Set(['feed']),
      certificateSha256: node.certificates[0]?.sha256 ?? '',
    },
    origin: { door: 'command-line', requestId: newId() },
  };
}

const GIVEN = ['Alpha', 'Bravo', 'Charlie', 'Delta', 'Echo', 'Foxtrot', 'Golf', 'Hotel'] as const;
const FAMILY = ['Sandborn', 'Sandcastle', 'Sanddune', 'Sandglass', 'Sandpiper'] as const;

function keyOf(index: number): string {
  return `S-${String(index + 1).padStart(4, '0')}`;
}

/** Forty people, each once; every eighth has a second record that differs a little, so that reviews can be tried. */
function madeUpPeople(): ValidPatient[] {
  const people: ValidPatient[] = [];
  for (const [f, family] of FAMILY.entries())
    for (const [g, given] of GIVEN.entries()) {
      people.push(patient({ index: people.length, family, given, year: 1950 + f * 8 + g }));
      if (g === 7) people.push(patient({ index: people.length, family: `${family}e`, given, year: 1950 + f * 8 + g }));
    }
  return people;
}

interface MadeUp {
  readonly index: number;
  readonly family: string;
  readonly given: string;
  readonly year: number;
}

function patient({ index, family, given, year }: MadeUp): ValidPatient {
  const parsed = {
    resourceType: 'Patient',
    identifier: [{ system: SANDBOX_DOMAIN, value: keyOf(index) }],
    name: [{ family, given: [given] }],
    gender: index % 2 === 0 ? 'female' : 'male',
    birthDate: `${year}-0${1 + (year % 9)}-${10 + (year % 18)}`,
    address: [{ city: 'Sandbox Town', line: [`${1 + (year % 90)} Example Road`] }],
  };
  return parsePatient(new TextEncoder().encode(JSON.stringify(parsed)), 'json');
}
