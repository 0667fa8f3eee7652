import 'reflect-metadata'; // @peculiar/x509's container needs it before anything else
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { z } from 'zod';
import { Problem } from '../../kernel/problem.ts';
import { x509Crypto } from './web-crypto.ts';

export type CertificateRequestCode = 'csr-malformed' | 'csr-signature' | 'csr-key-weak';

/** What is taken from a request: the key, and the name if it has one. Requested extensions are never looked at. */
export interface CertificateRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array<ArrayBuffer>;
  readonly commonName: string | undefined;
}

const CURVES = new Set(['P-256', 'P-384', 'P-521']);
const HASHES = new Set(['SHA-256', 'SHA-384', 'SHA-512']);
const RSA_BITS_MIN = 2_048;
/** Larger keys cost every handshake dearly and add nothing against today's attacks. */
const RSA_BITS_MAX = 8_192;

/**
 * Reads a PKCS #10 request in PEM (`openssl req -new …`). The self-signature is verified: it shows that the sender holds
 * the private key, so nobody can have somebody else's public key certified.
 */
export async function parseCertificateRequest(pem: string): Promise<CertificateRequest> {
  const request = parse(pem);
  assertStrongKey(request);
  if (!HASHES.has(factsOf(() => request.signatureAlgorithm).hash?.name ?? ''))
    throw refuse(
      'csr-signature',
      'The certificate request is signed with a weak or unknown hash; use SHA-256 or better.',
    );
  if (!(await verify(request)))
    throw refuse('csr-signature', "The certificate request's signature does not match its key.");
  const commonName = request.subjectName.getField('CN')[0]?.trim();
  return { spki: new Uint8Array(request.publicKey.rawData), commonName };
}

function parse(pem: string): Pkcs10CertificateRequest {
  const blocks = pem.match(
    /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----[\s\S]+?-----END (?:NEW )?CERTIFICATE REQUEST-----/g,
  );
  if (blocks?.length !== 1) throw malformed();
  try {
    return new Pkcs10CertificateRequest((blocks[0] ?? '').replaceAll('NEW CERTIFICATE', 'CERTIFICATE'));
  } catch (error) {
    throw malformed(error);
  }
}

async function verify(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify(x509Crypto);
  } catch {
    // The library throws for encodings and algorithms it does not know; neither proves possession of a key.
    return false;
  }
}

/** What WebCrypto tells about a key or signature; only what decides here. */
const algorithmFacts = z.object({
  name: z.string(),
  modulusLength: z.number().optional(),
  publicExponent: z.instanceof(Uint8Array).optional(),
  namedCurve: z.string().optional(),
  hash: z.object({ name: z.string() }).optional(),
});

function factsOf(read: () => unknown): z.infer<typeof algorithmFacts> {
  try {
    return algorithmFacts.parse(read());
  } catch (error) {
    throw malformed(error);
  }
}

function assertStrongKey(request: Pkcs10CertificateRequest): void {
  const algorithm = factsOf(() => request.publicKey.algorithm);
  const { name, modulusLength = 0, namedCurve = '', publicExponent } = algorithm;
  const rsa = name.startsWith('RSA') && modulusLength >= RSA_BITS_MIN && modulusLength <= RSA_BITS_MAX;
  if (rsa && soundExponent(publicExponent)) return;
  if (name.startsWith('EC') && CURVES.has(namedCurve)) return;
  throw refuse('csr-key-weak', 'The key must be RSA with 2048 to 8192 bits or on the curves P-256, P-384 or P-521.');
}

/** FIPS 186-5: odd and above 2^16; an exponent of 1 would make every signature its own message. */
function soundExponent(exponent: Uint8Array | undefined): boolean {
  if (exponent === undefined) return false;
  const value = exponent.reduce((sum, byte) => sum * 256 + byte, 0);
  return value > 65_536 && value % 2 === 1;
}

function malformed(cause?: unknown): Problem<CertificateRequestCode> {
  const text = 'This is not one certificate request in PEM form, as "openssl req -new" writes it.';
  return new Problem('invalid', 'csr-malformed', text, { cause });
}

function refuse(code: CertificateRequestCode, text: string): Problem<CertificateRequestCode> {
  return new Problem('invalid', code, text);
}
