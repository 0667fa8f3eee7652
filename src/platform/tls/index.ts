/** TLS of the doors and the making of certificates: see README.md. */
/** Reads PKCS #10 in PEM, checks self-signature and key. Throws Problem `csr-malformed`, `csr-signature` or `csr-key-weak`. */
export { parseCertificateRequest } from './certificate-request.ts';
/** Names the doors answer under, and both doors' certificates made, renewed and followed. */
export { answeredNames, openDoorTls } from './door-tls.ts';
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
