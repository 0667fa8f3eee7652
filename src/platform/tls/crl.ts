import 'reflect-metadata'; // @peculiar/x509's container needs it before anything else
import {
  AuthorityKeyIdentifierExtension,
  Extension,
  X509Certificate,
  X509Crl,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509';
import { Integer } from 'asn1js';
import { Problem } from '../../kernel/problem.ts';
import { plainSerial } from './inspect.ts';
import { x509Crypto } from './web-crypto.ts';
import { type Authority, openSigner, SIGNING } from './x509.ts';

/** Lists of revoked certificates (RFC 5280 §5): made for our own authorities, read for others'. */
export interface RevokedCertificate {
  /** Hex. */
  readonly serial: string;
  readonly revokedAtMs: number;
  readonly reason: RevocationReason;
}

export const REVOCATION_REASONS = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

export interface CrlToMake {
  readonly authority: Authority;
  readonly revoked: readonly RevokedCertificate[];
  /** Rises by each list; RFC 5280 §5.2.3. */
  readonly number: number;
  readonly nowMs: number;
  readonly validMs: number;
}

const CRL_NUMBER = '2.5.29.20';

/** A signed list, DER. */
export async function makeCrl({
  authority,
  revoked,
  number,
  nowMs,
  validMs,
}: CrlToMake): Promise<Uint8Array<ArrayBuffer>> {
  const signer = await openSigner(authority);
  const crl = await X509CrlGenerator.create(
    {
      issuer: signer.name,
      thisUpdate: new Date(nowMs),
      nextUpdate: new Date(nowMs + validMs),
      signingAlgorithm: SIGNING,
      signingKey: signer.key,
      entries: revoked.map(({ serial, revokedAtMs, reason }) => ({
        serialNumber: serial,
        revocationDate: new Date(revokedAtMs),
        // RFC 5280 §5.3.1: a reason that says nothing is left out.
        ...(reason === 'unspecified' ? {} : { reason: X509CrlReason[reason] }),
      })),
      extensions: [
        await AuthorityKeyIdentifierExtension.create(signer.spki, false, x509Crypto),
        new Extension(CRL_NUMBER, false, new Integer({ value: number }).toBER()),
      ],
    },
    x509Crypto,
  );
  return new Uint8Array(crl.rawData);
}

export interface ReadCrl {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly thisUpdateMs: number;
  /** Absent where the issuer promises no time; then it does not age. */
  readonly nextUpdateMs: number | undefined;
  /** Hex serials as `plainSerial` writes them. */
  readonly serials: ReadonlySet<string>;
}

/** Reads a list (PEM or DER) and checks that this authority signed it. Throws `crl-malformed` or `crl-signature`. */
export async function readCrl(input: string | Uint8Array, authorityPem: string): Promise<ReadCrl> {
  const crl = parse(input);
  const authority = new X509Certificate(authorityPem);
  if (crl.issuer !== authority.subject || !(await isSignedBy(crl, authority)))
    throw new Problem(
      'unprocessable',
      'crl-signature',
      'This list of revoked certificates was not signed by that authority, or was changed since. The former one stays in use.',
    );
  return {
    der: new Uint8Array(crl.rawData),
    thisUpdateMs: crl.thisUpdate.getTime(),
    nextUpdateMs: crl.nextUpdate?.getTime(),
    serials: new Set(crl.entries.map((entry) => plainSerial(entry.serialNumber))),
  };
}

function parse(input: string | Uint8Array): X509Crl {
  try {
    return new X509Crl(typeof input === 'string' ? input : new Uint8Array(input));
  } catch (cause) {
    const text = 'This is not a list of revoked certificates in PEM or DER form. The former one stays in use.';
    throw new Problem('invalid', 'crl-malformed', text, { cause });
  }
}

async function isSignedBy(crl: X509Crl, authority: X509Certificate): Promise<boolean> {
  try {
    return await crl.verify({ publicKey: authority.publicKey }, x509Crypto);
  } catch {
    // The library throws for algorithms it does not know.
    return false;
  }
}
