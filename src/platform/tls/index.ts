/** TLS of the doors and the making of certificates: see README.md. */
/** Reads PKCS #10 in PEM, checks self-signature and key. Throws Problem `csr-malformed`, `csr-signature` or `csr-key-weak`. */
export { parseCertificateRequest } from './certificate-request.ts';
/** Lists of revoked certificates: made for our authorities, read and checked for others'. */
export {
  makeCrl,
  type ReadCrl,
  readCrl,
  REVOCATION_REASONS,
  type RevocationReason,
  type RevokedCertificate,
} from './crl.ts';
/** Names the doors answer under, and both doors' certificates made, renewed and followed. */
export { answeredNames, openDoorTls } from './door-tls.ts';
/** Reads somebody else's certificate and says whether it may speak for a node or sign for one. */
export {
  assertFitForAuthority,
  assertFitForNode,
  type CertificateFacts,
  type CertificateNames,
  inspectCertificate,
  isTooLong,
} from './inspect.ts';
/** Key and certificates as a PKCS #12 file. */
export { makePkcs12 } from './pkcs12.ts';
/** TLS settings of the two doors for given keys. */
export { type KeyMaterial, nodesTls, usersTls } from './profiles.ts';
export type { SignServerCertificate } from './server-certificate.ts';
/** Authorities and leaves; longest lifetimes in days. */
export {
  type Authority,
  type Certificate,
  issueLeaf,
  NODE_DAYS,
  newIssuing,
  newLeafKey,
  newRoot,
  readCertificate,
  SERVER_DAYS,
} from './x509.ts';
