import type { NodeScope, Permission } from '../../kernel/access.ts';
import type { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { PeerCertificate } from '../../platform/http/index.ts';
import { nodeProblem } from './errors.ts';
import { endOf, type Registration, stateOf } from './model.ts';

/** What a node with these scopes may do: on its own domains, which the registry checks for each record. */
export function nodePermissions(scopes: readonly NodeScope[]): ReadonlySet<Permission> {
  const own: Permission[] = ['client.read', 'client.write', 'client.delete'];
  return new Set(scopes.includes('audit') ? [...own, ...AUDIT] : own);
}
const AUDIT: readonly Permission[] = ['audit.read'];

/** What a new node may do unless told otherwise. */
export const DEFAULT_SCOPES: readonly NodeScope[] = ['read', 'search', 'pix', 'match', 'feed'];

/**
 * Whether a certificate lets its holder in now. The TLS handshake has shown that the caller holds its private key, nothing
 * more; everything else is decided here, for every request. A valid chain alone never suffices: the certificate itself must
 * be on record, so that a second authority or a leaked authority key cannot make nodes; and the record must be bound to our
 * key, so that whoever writes to the database cannot either.
 */
export function judgeCertificate(
  registration: Registration | undefined,
  peer: Pick<PeerCertificate, 'sha256' | 'chainError'>,
  nowMs: number,
): Problem | undefined {
  const which = `The client certificate with the SHA-256 fingerprint ${peer.sha256.slice(0, 16)}…`;
  if (registration === undefined)
    return nodeProblem(
      'unauthenticated',
      'certificate-unknown',
      `${which} is not registered here. Use the one that "careseal node add" issued, or ask the administrator to trust it.`,
    );
  return (
    judgeNode(registration) ?? judgeRecord(registration, which) ?? judgeDates(registration, peer, { which, nowMs })
  );
}

function judgeNode({ node }: Registration): Problem | undefined {
  const state = stateOf(node);
  if (state === 'revoked')
    return nodeProblem(
      'forbidden',
      'node-revoked',
      `The node "${node.name}" has been revoked. Ask the administrator to add it again.`,
    );
  if (state === 'suspended')
    return nodeProblem(
      'forbidden',
      'node-suspended',
      `The node "${node.name}" is suspended. An administrator can let it in again.`,
    );
  if (state === 'invited')
    return nodeProblem('forbidden', 'node-not-active', `The node "${node.name}" is invited and has not enrolled yet.`);
  return undefined;
}

function judgeRecord({ certificate, intact }: Registration, which: string): Problem | undefined {
  if (certificate.revoked_at !== null)
    return nodeProblem('forbidden', 'certificate-revoked', `${which} has been revoked. Use the newer one.`);
  if (!intact)
    return nodeProblem(
      'forbidden',
      'registration-changed',
      `${which} is on record, but the record was not written by this server. An administrator has to look at it.`,
    );
  return undefined;
}

function judgeDates(
  { certificate }: Registration,
  { chainError }: Pick<PeerCertificate, 'chainError'>,
  { which, nowMs }: { readonly which: string; readonly nowMs: number },
): Problem | undefined {
  if (nowMs < certificate.not_before.getTime())
    return nodeProblem(
      'unauthenticated',
      'certificate-not-valid',
      `${which} is not valid before ${instant(certificate.not_before.getTime())}.`,
    );
  const endMs = endOf(certificate);
  if (nowMs > endMs)
    return nodeProblem(
      'unauthenticated',
      'certificate-not-valid',
      `${which} ended on ${instant(endMs)}. Use the newer one, or ask for a new one.`,
    );
  // One that is trusted by itself has no chain; its use and strength were checked when it was registered.
  if (certificate.origin !== 'trusted' && chainError !== undefined && !isAboutDates(chainError))
    return nodeProblem(
      'unauthenticated',
      'certificate-not-valid',
      `${which} does not stand verification (${chainError}).`,
    );
  return undefined;
}

/** Dates are judged by our own clock above; a connection may be older than the handshake's verdict. */
function isAboutDates(chainError: string): boolean {
  return chainError === 'CERT_HAS_EXPIRED' || chainError === 'CERT_NOT_YET_VALID';
}

/**
 * OpenSSL found the certificate to come from elsewhere or to be made for another purpose. Unless it is trusted by itself, the
 * database need not be asked: strangers cannot make it work.
 */
export function isForeign(chainError: string | undefined): boolean {
  return chainError !== undefined && !isAboutDates(chainError);
}
