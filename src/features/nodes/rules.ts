import type { Permission } from '../../kernel/access.ts';
import type { Problem } from '../../kernel/problem.ts';
import { nodeProblem } from './errors.ts';
import type { Registration } from './model.ts';

/** What every node may do: on its own domains, which the registry checks for each record. */
export const NODE_PERMISSIONS: ReadonlySet<Permission> = new Set<Permission>([
  'client.read',
  'client.write',
  'client.delete',
]);

/**
 * Whether a certificate lets its holder in now. The TLS handshake has shown that the caller holds its private key, nothing
 * more; everything else is decided here, for every request. A valid chain alone never suffices: the certificate itself must
 * be on record, so that a second authority or a leaked authority key cannot make nodes.
 */
export function judgeCertificate(
  registration: Registration | undefined,
  chainError: string | undefined,
  nowMs: number,
): Problem | undefined {
  if (registration === undefined)
    return nodeProblem(
      'unauthenticated',
      'certificate-unknown',
      'This client certificate is not registered here. Use the certificate that "careseal node add" issued.',
    );
  if (registration.nodeRevoked)
    return nodeProblem(
      'forbidden',
      'node-revoked',
      'This node has been revoked. Ask the administrator to add it again.',
    );
  if (registration.certificateRevoked)
    return nodeProblem(
      'forbidden',
      'certificate-revoked',
      'This client certificate has been revoked. Use the newer one.',
    );
  if (nowMs < registration.notBeforeMs)
    return nodeProblem('unauthenticated', 'certificate-not-valid', 'This client certificate is not valid yet.');
  if (nowMs > registration.notAfterMs)
    return nodeProblem('unauthenticated', 'certificate-not-valid', 'This client certificate has expired.');
  if (chainError !== undefined && !isAboutDates(chainError))
    return nodeProblem(
      'unauthenticated',
      'certificate-not-valid',
      'This client certificate does not stand verification.',
    );
  return undefined;
}

/** Dates are judged by our own clock above; a connection may be older than the handshake's verdict. */
function isAboutDates(chainError: string): boolean {
  return chainError === 'CERT_HAS_EXPIRED' || chainError === 'CERT_NOT_YET_VALID';
}

/**
 * OpenSSL found the certificate to come from elsewhere or to be made for another purpose. None of ours looks like that, so
 * the database need not be asked: strangers cannot make it work.
 */
export function isForeign(chainError: string | undefined): boolean {
  return chainError !== undefined && !isAboutDates(chainError);
}
