/** TLS of the doors and the making of certificates: see README.md. */
export {
  type CertificateRequest,
  type CertificateRequestCode,
  parseCertificateRequest,
} from './certificate-request.ts';
export { answeredNames, type DoorTls, type DoorTlsOptions, openDoorTls } from './door-tls.ts';
export { type LiveCertificates, watchCertificates } from './live-certificates.ts';
export { type KeyMaterial, nodesTls, usersTls } from './profiles.ts';
export {
  type CertificateFiles,
  ensureServerCertificate,
  readKeyMaterial,
  type SignServerCertificate,
} from './server-certificate.ts';
export {
  type Authority,
  type Certificate,
  issueLeaf,
  type LeafKey,
  type LeafRequest,
  NODE_DAYS,
  newIssuing,
  newLeafKey,
  newRoot,
  readCertificate,
  SERVER_DAYS,
} from './x509.ts';
