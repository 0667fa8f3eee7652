import 'reflect-metadata'; // @peculiar/x509's container needs it before anything else
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { randomBytes, sha256Hex } from '../../crypto/index.ts';
import { toBase64, toHex } from '../../kernel/bytes.ts';
import { plainSerial } from './inspect.ts';
import { type X509Key, x509Crypto } from './web-crypto.ts';

/**
 * Makes certificates: a root, an issuing authority under it, and leaves for servers and nodes. Nothing is stored here.
 * Profile: RFC 5280; serials of 127 random bits.
 */
const DAY_MS = 86_400_000;
/** Clocks of point-of-service systems run behind; a certificate must be valid there at once all the same. */
const BACKDATE_MS = 3_600_000;
const ROOT_DAYS = 3_650;
const ISSUING_DAYS = 1_825;
const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Longest lifetimes in days: servers as browsers accept them, nodes as IHE ITI-19 allows (two years). */
export const SERVER_DAYS = 397;
export const NODE_DAYS = 730;

export interface Certificate {
  readonly pem: string;
  readonly der: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  readonly subject: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A certificate authority: its certificate and its private key (PKCS #8 DER). Never written to a disk unsealed. */
export interface Authority {
  readonly certificate: Certificate;
  readonly pkcs8: Uint8Array<ArrayBuffer>;
}

/** A fresh key pair: the public half as SubjectPublicKeyInfo, the private one as PKCS #8, PEM. */
export interface LeafKey {
  readonly spki: Uint8Array<ArrayBuffer>;
  readonly pem: string;
}

export async function newRoot(name: string, nowMs: number): Promise<Authority> {
  return newAuthority({ commonName: `${name} root`, days: ROOT_DAYS, pathLength: 1, nowMs });
}

/** The authority that signs from day to day; with it made, the root's key is needed only for its successor. */
export async function newIssuing(root: Authority, name: string, nowMs: number): Promise<Authority> {
  return newAuthority({ commonName: `${name} issuing`, days: ISSUING_DAYS, pathLength: 0, nowMs, signer: root });
}

interface AuthoritySpec {
  readonly commonName: string;
  readonly days: number;
  readonly pathLength: number;
  readonly nowMs: number;
  readonly signer?: Authority;
}

async function newAuthority(spec: AuthoritySpec): Promise<Authority> {
  const keys = await x509Crypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const spki = new Uint8Array(await x509Crypto.subtle.exportKey('spki', keys.publicKey));
  const pkcs8 = new Uint8Array(await x509Crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const subject = distinguishedName(spec.commonName);
  const signer = spec.signer === undefined ? undefined : await openSigner(spec.signer);
  const certificate = await sign(signer ?? { key: keys.privateKey, name: subject, spki, notAfterMs: Infinity }, {
    subject,
    spki,
    days: spec.days,
    nowMs: spec.nowMs,
    extensions: [
      new BasicConstraintsExtension(true, spec.pathLength, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, pkcs8 };
}

export interface LeafRequest {
  readonly usage: 'server' | 'client';
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array<ArrayBuffer>;
  /** DNS names, IP addresses and URIs, told apart by their form. */
  readonly names: readonly string[];
  readonly days: number;
  readonly nowMs: number;
  /** Where others learn that it was revoked. */
  readonly crlUrl?: string | undefined;
}

/** A server's or a node's certificate. Its extensions are ours alone; nothing a requester wished for is taken over. */
export async function issueLeaf(issuer: Authority, request: LeafRequest): Promise<Certificate> {
  const usage = request.usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
  return sign(await openSigner(issuer), {
    subject: distinguishedName(request.commonName),
    spki: request.spki,
    days: request.days,
    nowMs: request.nowMs,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([usage]),
      new SubjectAlternativeNameExtension(request.names.map(generalName)),
      ...(request.crlUrl === undefined ? [] : [new CRLDistributionPointsExtension([request.crlUrl])]),
    ],
  });
}

/** ECDSA P-256, or RSA 2048 where a peer needs DHE-RSA suites. */
export async function newLeafKey(kind: 'ec' | 'rsa' = 'ec'): Promise<LeafKey> {
  const rsa = {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  };
  const keys =
    kind === 'ec'
      ? await x509Crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
      : await x509Crypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
  const spki = new Uint8Array(await x509Crypto.subtle.exportKey('spki', keys.publicKey));
  const pkcs8 = new Uint8Array(await x509Crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { spki, pem: toPem('PRIVATE KEY', pkcs8) };
}

/** Reads the first certificate of a PEM text; throws when there is none. */
export function readCertificate(pem: string): Certificate & { readonly names: readonly string[] } {
  const parsed = new X509Certificate(pem);
  const names = parsed.getExtension(SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  return { ...described(parsed), names: names.map((name) => String(name.value)) };
}

export interface Signer {
  readonly key: X509Key;
  readonly name: DistinguishedName;
  readonly spki: Uint8Array<ArrayBuffer>;
  readonly notAfterMs: number;
}

type DistinguishedName = Record<string, string[]>[];

export async function openSigner(authority: Authority): Promise<Signer> {
  const parsed = new X509Certificate(authority.certificate.der);
  return {
    key: await x509Crypto.subtle.importKey('pkcs8', authority.pkcs8, EC, false, ['sign']),
    name: parsed.subjectName.toJSON(),
    spki: new Uint8Array(parsed.publicKey.rawData),
    notAfterMs: parsed.notAfter.getTime(),
  };
}

interface ToSign {
  readonly subject: DistinguishedName;
  readonly spki: Uint8Array<ArrayBuffer>;
  readonly days: number;
  readonly nowMs: number;
  readonly extensions: readonly Extension[];
}

async function sign(signer: Signer, what: ToSign): Promise<Certificate> {
  const notBeforeMs = wholeSecond(what.nowMs - BACKDATE_MS);
  // RFC 5280 counts the last second as valid, hence one less. A leaf never outlives its issuer.
  const notAfterMs = Math.min(notBeforeMs + what.days * DAY_MS - 1_000, signer.notAfterMs);
  const made = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: what.subject,
      issuer: signer.name,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notAfterMs),
      publicKey: what.spki,
      signingKey: signer.key,
      signingAlgorithm: SIGNING,
      extensions: [
        ...what.extensions,
        await SubjectKeyIdentifierExtension.create(what.spki, false, x509Crypto),
        await AuthorityKeyIdentifierExtension.create(signer.spki, false, x509Crypto),
      ],
    },
    x509Crypto,
  );
  return described(made);
}

function described(certificate: X509Certificate): Certificate {
  const der = new Uint8Array(certificate.rawData);
  return {
    pem: toPem('CERTIFICATE', der),
    der,
    sha256: sha256Hex(der),
    serial: plainSerial(certificate.serialNumber),
    subject: certificate.subject,
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  };
}

function distinguishedName(commonName: string): DistinguishedName {
  return [{ O: ['Careseal'] }, { CN: [commonName] }];
}

/** 16 bytes, first bit clear: positive and 127 random bits (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return toHex(bytes);
}

function generalName(name: string): { type: 'ip' | 'dns' | 'url'; value: string } {
  if (isIP(name) !== 0) return { type: 'ip', value: name };
  return name.includes(':') ? { type: 'url', value: name } : { type: 'dns', value: name };
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}

function toPem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
