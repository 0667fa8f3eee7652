import { instant } from '../../kernel/time.ts';
import type { AuthorityStatus } from './authorities.ts';
import { crlAddress } from './authorities.ts';
import type { NodeFiles } from './certificates.ts';
import type { Domains } from './domains.ts';
import type { Invitation } from './enrolment.ts';
import type { ForeignAuthority } from './foreign.ts';
import type { Node, NodeCertificate } from './model.ts';
import type { WireCertificate, WireDomainList, WireNode, WireNodeFiles } from './wire.ts';
import type { WireForeignAuthority, WireTrust } from './wire-trust.ts';

/** A node as pages and the command line show it. */
export function wireNode(node: Node): WireNode {
  const { id, name, organisationId, state, intact, perMinute, tokenRequired, hasJwks, jwksUrl, contact } = node;
  return {
    id,
    name,
    organisationId,
    state,
    intact,
    domains: [...node.domains],
    scopes: [...node.scopes],
    networks: [...node.networks],
    perMinute,
    tokenRequired,
    hasJwks,
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(contact === undefined ? {} : { contact }),
    certificates: node.certificates.map(wireCertificate),
    createdAt: instant(node.createdAtMs),
    ...(node.lastSeenAtMs === undefined ? {} : { lastSeenAt: instant(node.lastSeenAtMs) }),
    ...(node.revoked === undefined
      ? {}
      : { revokedAt: instant(node.revoked.atMs), revokedReason: node.revoked.reason }),
  };
}

function wireCertificate(certificate: NodeCertificate): WireCertificate {
  const { sha256, subject, serial, origin, intact, lastSeenAtMs, revokedAtMs } = certificate;
  return {
    sha256,
    subject,
    serial,
    origin,
    intact,
    notBefore: instant(certificate.notBeforeMs),
    notAfter: instant(certificate.notAfterMs),
    endsAt: instant(certificate.endsAtMs),
    ...(lastSeenAtMs === undefined ? {} : { lastSeenAt: instant(lastSeenAtMs) }),
    ...(revokedAtMs === undefined ? {} : { revokedAt: instant(revokedAtMs) }),
  };
}

export function wireFiles(files: NodeFiles): WireNodeFiles {
  return { ...files };
}

export function wireInvitation({ token, expiresAtMs }: Invitation, enrolUrl: string) {
  return { token, enrolUrl, expiresAt: instant(expiresAtMs) };
}

export async function wireDomains(domains: Domains): Promise<WireDomainList> {
  const all = (await domains.table()).all();
  return {
    domains: all.map(({ system, ownerNodeId, ownerNodeName }) =>
      ownerNodeId === undefined ? { system } : { system, node: { id: ownerNodeId, name: ownerNodeName ?? '' } },
    ),
  };
}

export function wireTrust(
  own: readonly AuthorityStatus[],
  foreign: readonly ForeignAuthority[],
  publicUrl: string,
): WireTrust {
  return {
    own: own.map(({ id, kind, subject, sha256, notAfterMs, keyIsHere, crlNextUpdateMs }) => ({
      id,
      kind,
      subject,
      sha256,
      notAfter: instant(notAfterMs),
      keyIsHere,
      crlUrl: crlAddress(publicUrl, id),
      ...(crlNextUpdateMs === undefined ? {} : { crlNextUpdate: instant(crlNextUpdateMs) }),
    })),
    foreign: foreign.map(wireForeign),
  };
}

function wireForeign(authority: ForeignAuthority): WireForeignAuthority {
  const { notAfterMs, crlNextUpdateMs, crlTriedAtMs, rules, ...same } = authority;
  return {
    ...same,
    notAfter: instant(notAfterMs),
    rules: rules.map((rule) => ({ ...rule })),
    ...(crlTriedAtMs === undefined ? {} : { crlTriedAt: instant(crlTriedAtMs) }),
    ...(crlNextUpdateMs === undefined ? {} : { crlNextUpdate: instant(crlNextUpdateMs) }),
  };
}
