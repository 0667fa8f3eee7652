import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import { inspectCertificate } from '../../platform/tls/index.ts';
import { nodeProblem } from './errors.ts';
import type { RouteDeps } from './route-parts.ts';
import { wireFiles, wireInvitation, wireNode } from './views.ts';
import type { AddNodeRequest, AddNodeResponse } from './wire.ts';

/** Where a node trades its one-time token for a certificate. */
export function enrolAddress(fhirUrl: string): string {
  return `${new URL(fhirUrl).origin}/enrol`;
}

/** Adds a node in the way the page or the command line asked for. */
export async function addInWay(
  { parts, service, certificates }: Pick<RouteDeps, 'parts' | 'service' | 'certificates'>,
  actor: Actor,
  wanted: AddNodeRequest,
): Promise<{ readonly answer: AddNodeResponse; readonly audited: AuditReceipt }> {
  const { fhirUrl } = parts;
  const way = wanted.way ?? (wanted.csr === undefined ? 'make' : 'csr');
  const { way: _way, csr: _csr, certificate: _certificate, acceptLong: _acceptLong, ...node } = wanted;
  const roots = { 'ca.crt': await parts.authorities.rootsPem() };
  if (way === 'invite') {
    const { audited, invitation, ...added } = await service.inviteNode(actor, node);
    const shown = wireInvitation(invitation, enrolAddress(fhirUrl));
    return { answer: { node: wireNode(added.node), files: roots, invitation: shown, fhirUrl }, audited };
  }
  if (way === 'later') {
    const { node: added, audited } = await service.addNodeWithoutCertificate(actor, node);
    return { answer: { node: wireNode(added), files: roots, fhirUrl }, audited };
  }
  if (way === 'trust') {
    const certificate = needed(wanted.certificate, 'certificate');
    // Before the node is made: one that stands without its certificate would be in the way of the next try.
    inspectCertificate(certificate);
    const { node: made } = await service.addNodeWithoutCertificate(actor, node);
    const trusted = { certificate, acceptLong: wanted.acceptLong ?? false };
    try {
      const { node: added, audited } = await certificates.trust(actor, { id: made.id }, trusted);
      return { answer: { node: wireNode(added), files: roots, fhirUrl }, audited };
    } catch (error) {
      await service.revokeNode(actor, { id: made.id }, 'Its certificate was refused.');
      throw error;
    }
  }
  const csr = way === 'csr' ? needed(wanted.csr, 'csr') : undefined;
  const added = await service.addNode(actor, { ...node, csr });
  return { answer: { node: wireNode(added.node), files: wireFiles(added.files), fhirUrl }, audited: added.audited };
}

function needed(value: string | undefined, name: string): string {
  if (value === undefined)
    throw nodeProblem(
      'invalid',
      'certificate-missing',
      `This way of adding a node needs "${name}". Nothing was changed.`,
    );
  return value;
}
