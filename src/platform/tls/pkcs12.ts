import { BmpString, OctetString } from 'asn1js';
import {
  Attribute,
  AuthenticatedSafe,
  CertBag,
  Certificate,
  CryptoEngine,
  type ICryptoEngine,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from 'pkijs';
import { x509Crypto } from './web-crypto.ts';
import { utf8Encode } from '../../kernel/bytes.ts';

export interface BundleContent {
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  /** Leaf first, then its issuers, PEM. */
  readonly chainPem: string;
  /** What a key store shows the entry as. */
  readonly alias: string;
  /** ASCII. */
  readonly password: string;
}

/** Object identifiers of RFC 7292 and PKCS #9. */
const OID = {
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
} as const;
/** What OpenSSL 3, Java 11 and Windows Server 2019 and newer read; older ones want 3DES, which protects nothing. */
const ENCRYPTION = {
  // The library draws the initialisation vector itself; the type asks for one.
  contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256, iv: new ArrayBuffer(16) },
  hmacHashAlgorithm: 'SHA-256',
  iterationCount: 100_000,
} as const;
// The class lacks the key-encapsulation methods that WebCrypto got in 2025 and its own interface asks for; none is used here.
const engine = new CryptoEngine({ name: 'node', crypto: x509Crypto }) as unknown as ICryptoEngine;
const MAC_ITERATIONS = 100_000;

/** A PKCS #12 file (RFC 7292) with the key and its certificates: AES-256 under PBKDF2, HMAC-SHA-256. */
export async function makePkcs12({
  keyPem,
  chainPem,
  alias,
  password,
}: BundleContent): Promise<Uint8Array<ArrayBuffer>> {
  const secret = utf8Encode(password).buffer;
  const [leaf, ...issuers] = pemBodies(chainPem);
  if (leaf === undefined) throw new Error('a bundle needs a certificate');
  const shrouded = new PKCS8ShroudedKeyBag({
    parsedValue: PrivateKeyInfo.fromBER(pemBodies(keyPem)[0] ?? new ArrayBuffer(0)),
  });
  await shrouded.makeInternalValues(
    { ...ENCRYPTION, contentEncryptionAlgorithm: { ...ENCRYPTION.contentEncryptionAlgorithm }, password: secret },
    engine,
  );
  const own = [
    attribute(OID.friendlyName, new BmpString({ value: alias })),
    attribute(OID.localKeyId, new OctetString({ valueHex: Uint8Array.of(1).buffer })),
  ];
  const key = new SafeBag({ bagId: OID.shroudedKey, bagValue: shrouded, bagAttributes: own });
  const certificates = [certificateBag(leaf, own), ...issuers.map((issuer) => certificateBag(issuer, []))];
  const authenticatedSafe = new AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        { privacyMode: 0, value: new SafeContents({ safeBags: [key] }) },
        { privacyMode: 1, value: new SafeContents({ safeBags: certificates }) },
      ],
    },
  });
  const pfx = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe } });
  await authenticatedSafe.makeInternalValues({ safeContents: [{}, { ...ENCRYPTION, password: secret }] }, engine);
  await pfx.makeInternalValues(
    { password: secret, iterations: MAC_ITERATIONS, pbkdf2HashAlgorithm: 'SHA-256', hmacHashAlgorithm: 'SHA-256' },
    engine,
  );
  return new Uint8Array(pfx.toSchema().toBER());
}

function certificateBag(der: ArrayBuffer, bagAttributes: Attribute[]): SafeBag {
  const bagValue = new CertBag({ parsedValue: Certificate.fromBER(der) });
  return new SafeBag({ bagId: OID.certificate, bagValue, ...(bagAttributes.length === 0 ? {} : { bagAttributes }) });
}

function attribute(type: string, value: BmpString | OctetString): Attribute {
  return new Attribute({ type, values: [value] });
}

/** DER of each block of a PEM text. */
function pemBodies(pem: string): ArrayBuffer[] {
  const bodies = pem.matchAll(/-----BEGIN [A-Z0-9 ]+-----([\s\S]+?)-----END [A-Z0-9 ]+-----/g);
  return Array.from(bodies, ([, body = '']) => new Uint8Array(Buffer.from(body, 'base64')).buffer);
}
