import 'reflect-metadata'; // @peculiar/x509's container needs it before anything else
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509';
import { z } from 'zod';
import { OpensslCertificate, sha256Hex } from '../../crypto/index.ts';
import { Problem } from '../../kernel/problem.ts';

/** What decides whether somebody else's certificate may speak for a node. */
export interface CertificateFacts {
  readonly pem: string;
  readonly der: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isAuthority: boolean;
  readonly isSelfSigned: boolean;
  /** The subject's common names and the alternative names, by kind. */
  readonly names: CertificateNames;
}

export interface CertificateNames {
  readonly cn: readonly string[];
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

export type CertificateFault =
  | 'certificate-malformed'
  | 'certificate-hash-weak'
  | 'certificate-key-weak'
  | 'certificate-usage-wrong'
  | 'certificate-too-long'
  | 'certificate-is-authority'
  | 'certificate-not-authority';

const DAY_MS = 86_400_000;
/** IHE ITI-19: two years. A day more for leap years. */
export const FOREIGN_DAYS_MAX = 731;

/** Reads one certificate: PEM or DER (BER is read as well). Throws `certificate-malformed`. */
export function inspectCertificate(input: string | Uint8Array): CertificateFacts {
  try {
    const node = new OpensslCertificate(input);
    const parsed = new X509Certificate(new Uint8Array(node.raw));
    const der = new Uint8Array(node.raw);
    return {
      pem: node.toString(),
      der,
      sha256: sha256Hex(der),
      serial: plainSerial(parsed.serialNumber),
      subject: parsed.subject,
      issuer: parsed.issuer,
      notBeforeMs: parsed.notBefore.getTime(),
      notAfterMs: parsed.notAfter.getTime(),
      isAuthority: node.ca,
      isSelfSigned: node.checkIssued(node) && node.verify(node.publicKey),
      names: namesOf(parsed),
    };
  } catch (cause) {
    const text = 'This is not one X.509 certificate in PEM or DER form.';
    throw new Problem<CertificateFault>('invalid', 'certificate-malformed', text, { cause });
  }
}

/** Serial numbers as OpenSSL, certificates and lists of revoked ones write them differ in case and leading zeros. */
export function plainSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

function namesOf(certificate: X509Certificate): CertificateNames {
  const alternative = certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const of = (type: string) => alternative.filter((name) => name.type === type).map((name) => String(name.value));
  return { cn: certificate.subjectName.getField('CN'), dns: of('dns'), uri: of('url'), email: of('email') };
}

/**
 * What every certificate that was not made here must satisfy, whoever signed it: a strong key, a hash that nobody can forge,
 * client use, and the lifetime of ITI-19. Each refusal names the certificate's subject and what to do.
 */
export function assertFitForNode(facts: CertificateFacts, options: { readonly acceptLong: boolean }): void {
  const parsed = new X509Certificate(facts.der);
  const which = `The certificate ${shownSubject(facts)}`;
  if (facts.isAuthority && !facts.isSelfSigned)
    throw fault(
      'certificate-is-authority',
      `${which} is a certificate authority's. Register it as an authority instead.`,
    );
  assertStrong(parsed, which);
  const usages = parsed.getExtension(ExtendedKeyUsageExtension)?.usages.map(String);
  if (usages !== undefined && !usages.includes(ExtendedKeyUsage.clientAuth) && !usages.includes(ANY_USAGE))
    throw fault(
      'certificate-usage-wrong',
      `${which} is not made for client authentication (extended key usage clientAuth).`,
    );
  if (!options.acceptLong && isTooLong(facts))
    throw fault(
      'certificate-too-long',
      `${which} is valid for more than two years, which IHE ITI-19 does not allow. Make it with -days 730.`,
    );
}

/** The same for a certificate whose holder signs others. */
export function assertFitForAuthority(facts: CertificateFacts): void {
  const which = `The certificate ${shownSubject(facts)}`;
  if (!facts.isAuthority)
    throw fault('certificate-not-authority', `${which} is not a certificate authority's (basicConstraints CA:TRUE).`);
  assertStrong(new X509Certificate(facts.der), which);
}

export function isTooLong(facts: Pick<CertificateFacts, 'notBeforeMs' | 'notAfterMs'>): boolean {
  return facts.notAfterMs - facts.notBeforeMs > FOREIGN_DAYS_MAX * DAY_MS;
}

const ANY_USAGE = '2.5.29.37.0';
const signatureFacts = z.object({ name: z.string(), hash: z.object({ name: z.string() }).optional() });
const HASHES = new Set(['SHA-256', 'SHA-384', 'SHA-512']);

function assertStrong(certificate: X509Certificate, which: string): void {
  const signature = signatureFacts.parse(certificate.signatureAlgorithm);
  if (signature.name !== 'Ed25519' && !HASHES.has(signature.hash?.name ?? ''))
    throw fault(
      'certificate-hash-weak',
      `${which} is signed with SHA-1 or another hash that can be forged. Make it anew with SHA-256.`,
    );
  const key = new OpensslCertificate(new Uint8Array(certificate.rawData)).publicKey;
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  const fits =
    kind === 'ed25519' ||
    (kind === 'ec' && CURVES.has(details?.namedCurve ?? '')) ||
    ((kind === 'rsa' || kind === 'rsa-pss') && within(details?.modulusLength ?? 0, 2_048, 8_192));
  if (!fits) throw fault('certificate-key-weak', `${which} has a weak key. Use RSA with 2048 bits or more, or P-256.`);
}

const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** A subject comes from outside; only what prints on one line is repeated. */
function shownSubject({ subject }: CertificateFacts): string {
  return `"${subject.replaceAll(/[^\p{L}\p{N} .,=@:/_-]/gu, '?').slice(0, 120)}"`;
}

function fault(code: CertificateFault, text: string): Problem<CertificateFault> {
  return new Problem('unprocessable', code, `${text} Nothing was changed.`);
}
