import { z } from 'zod';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import { enrolAddress } from './adding.ts';
import { A_FILE, BY_ID, NOTHING, type RouteDeps, SMALL, whichNode } from './route-parts.ts';
import { wireFiles, wireInvitation, wireNode } from './views.ts';
import {
  addNodeResponseSchema,
  issueCertificateRequestSchema,
  oneNodeSchema,
  revokeCertificateRequestSchema,
  trustCertificateRequestSchema,
} from './wire.ts';

/** What an administrator does with one node's certificates. */
export function certificateRoutes({ parts, certificates, enrolment }: RouteDeps): RouteDeclaration[] {
  const { fhirUrl } = parts;
  const common = { doors: ['users'], method: 'POST', access: permission('node.manage', { stepUp: true }) } as const;
  return [
    route({
      ...common,
      path: '/api/nodes/:id/certificates',
      audit: event('certificate.issue'),
      input: { params: BY_ID, query: NOTHING, body: issueCertificateRequestSchema },
      output: addNodeResponseSchema,
      limits: A_FILE,
      async handle({ actor, params, body }) {
        const { node, files, audited } = await certificates.issue(actor, whichNode(params.id), body.csr);
        return { status: 201, body: { node: wireNode(node), files: wireFiles(files), fhirUrl }, audited };
      },
    }),
    route({
      ...common,
      path: '/api/nodes/:id/invitation',
      audit: event('node.invite'),
      input: { params: BY_ID, query: NOTHING, body: 'none' },
      output: addNodeResponseSchema,
      limits: { bodyBytesMax: 0, perMinute: 20 },
      async handle({ actor, params }) {
        const { node, invitation, audited } = await enrolment.invite(actor, whichNode(params.id));
        const files = { 'ca.crt': await parts.authorities.rootsPem() };
        const shown = wireInvitation(invitation, enrolAddress(fhirUrl));
        return { status: 201, body: { node: wireNode(node), files, invitation: shown, fhirUrl }, audited };
      },
    }),
    route({
      ...common,
      path: '/api/nodes/:id/trusted-certificates',
      audit: event('trust.add'),
      input: { params: BY_ID, query: NOTHING, body: trustCertificateRequestSchema },
      output: oneNodeSchema,
      limits: A_FILE,
      async handle({ actor, params, body }) {
        const { node, audited } = await certificates.trust(actor, whichNode(params.id), body);
        return { status: 201, body: { node: wireNode(node) }, audited };
      },
    }),
    route({
      ...common,
      // Ending access must never wait for a proof.
      access: permission('node.manage'),
      path: '/api/nodes/:id/certificates/:sha256/revoke',
      audit: event('certificate.revoke'),
      input: { params: BY_ID.extend({ sha256: z.string() }), query: NOTHING, body: revokeCertificateRequestSchema },
      output: oneNodeSchema,
      limits: SMALL,
      async handle({ actor, params, body }) {
        const wanted = { sha256: params.sha256, ...body };
        const { node, audited } = await certificates.revoke(actor, whichNode(params.id), wanted);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
  ];
}
