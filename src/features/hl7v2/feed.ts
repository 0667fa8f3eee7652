/** ADT messages: A01, A04, A05 and A08 register and revise (ITI-8, ITI-30); A40 merges. */
import type { Identifier } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { NodePrincipal } from '../../kernel/principal.ts';

import { assertRegistrable, incoming, type TogetherStep } from '../registry/index.ts';
import { type Authorities, authoritiesOf } from './authorities.ts';
import type { Caller } from './caller.ts';
import { fieldOf, type Hl7Message, type Segment, segmentsNamed } from './message.ts';
import { demographicsOf, identifiersOf } from './pid.ts';
import { Hl7Refusal } from './reply.ts';

const GROUPS_MAX = 20;

/** Returns when it is done; throws Hl7Refusal or Problem where it is refused. */
export async function feed(caller: Caller, message: Hl7Message, event: string): Promise<void> {
  const authorities = await authoritiesOf(caller.deps);
  if (event === 'A40') return mergeAll(caller, message, authorities);
  const pids = segmentsNamed(message, 'PID');
  const [pid] = pids;
  if (pid === undefined || pids.length !== 1) throw sequence('One PID segment is needed.', 'PID');
  await register(caller, message, { pid, authorities });
}

async function register(
  { deps, actor, principal, registry }: Caller,
  message: Hl7Message,
  { pid, authorities }: { readonly pid: Segment; readonly authorities: Authorities },
): Promise<void> {
  const identifiers = identifiersIn(message, { segment: pid, field: 3, authorities, principal });
  const own = ownOf(identifiers, principal);
  if (own === undefined)
    throw unknownKey('The record carries no identifier of a domain that the sender owns.', 'PID^1^3');
  const candidate: unknown = { resourceType: 'Patient', identifier: identifiers, ...demographicsOf(message, pid) };
  assertRegistrable(candidate);
  const patient = await incoming({ ...deps, domains: deps.nodes.domains }, actor, candidate);
  const domain = (await deps.nodes.domains.table()).bySystem(own.system);
  if (domain === undefined) throw unknownKey('The assigning authority is not known here.', 'PID^1^3^1^4');
  const { outcomes } = await registry.submit(actor, [{ kind: 'upsert', domain, key: own.value, patient }]);
  const [outcome] = outcomes;
  if (outcome?.status === 'refused') throw outcome.problem;
}

/** A40 may carry several pairs of PID and MRG, done one after the other: all of them, or none. */
async function mergeAll(caller: Caller, message: Hl7Message, authorities: Authorities): Promise<void> {
  const pids = segmentsNamed(message, 'PID');
  const mrgs = segmentsNamed(message, 'MRG');
  if (pids.length === 0 || pids.length !== mrgs.length || pids.length > GROUPS_MAX)
    throw sequence('Each PID is followed by its MRG.', 'MRG');
  const steps: TogetherStep[] = [];
  for (const [index, pid] of pids.entries()) {
    const mrg = mrgs[index];
    if (mrg === undefined) throw sequence('Each PID is followed by its MRG.', 'MRG');
    const at = { message, authorities, sequence: index + 1 };
    const survivor = await recordOf(caller, { ...at, segment: pid, field: 3 });
    const obsolete = await recordOf(caller, { ...at, segment: mrg, field: 1 });
    steps.push({ kind: 'merge', merge: { obsolete, survivor } });
  }
  const done = await caller.registry.applyTogether(caller.actor, { steps });
  if (done.status === 'refused') throw done.problem;
}

async function recordOf(
  { principal, registry }: Caller,
  where: {
    readonly message: Hl7Message;
    readonly segment: Segment;
    readonly field: number;
    readonly authorities: Authorities;
    readonly sequence: number;
  },
): Promise<ResourceId> {
  const { message, segment, field, authorities, sequence: number } = where;
  const place = `${segment.name}^${number}^${field}`;
  const identifiers = identifiersIn(message, { segment, field, authorities, principal });
  const own = ownOf(identifiers, principal);
  if (own === undefined) throw unknownKey('The sender may merge records of its own domains only.', place);
  const id = await registry.findByKey(own.system, own.value);
  if (id === undefined) throw unknownKey('There is no record with this identifier.', place);
  return id;
}

interface Named {
  readonly system: string;
  readonly value: string;
}

/** The first identifier of a domain that the sender owns: it names the record. */
function ownOf(identifiers: readonly Identifier[], principal: NodePrincipal): Named | undefined {
  const own = identifiers.find(({ system }) => system !== undefined && principal.domains.includes(system));
  return own?.system !== undefined && own.value !== undefined ? { system: own.system, value: own.value } : undefined;
}

function identifiersIn(
  message: Hl7Message,
  where: {
    readonly segment: Segment;
    readonly field: number;
    readonly authorities: Authorities;
    readonly principal: NodePrincipal;
  },
): readonly Identifier[] {
  const { segment, field, authorities, principal } = where;
  const found = identifiersOf(fieldOf(message, segment, field), (cx) => authorities.systemOf(cx, principal));
  const place = `${segment.name}^1^${field}`;
  if ('repetition' in found)
    throw unknownKey('The assigning authority is not known here.', `${place}^${found.repetition}^4`);
  if (found.length === 0)
    throw new Hl7Refusal({
      ack: 'AE',
      code: '101',
      text: 'An identifier is needed.',
      location: place,
      reason: 'hl7-identifier-missing',
    });
  return found;
}

const sequence = (text: string, location: string): Hl7Refusal =>
  new Hl7Refusal({ ack: 'AE', code: '100', text, location, reason: 'hl7-segments' });
const unknownKey = (text: string, location: string): Hl7Refusal =>
  new Hl7Refusal({ ack: 'AE', code: '204', text, location, reason: 'hl7-unknown-key' });
