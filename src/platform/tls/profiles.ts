import type { TlsOptions } from 'node:tls';

/**
 * TLS settings of the two doors that speak it. Source: Mozilla guidelines 6.0, "intermediate" (users); the same plus IHE
 * ITI-19's DHE-RSA suites (nodes).
 */
const TLS13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const ECDHE = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
/** ITI-19 (STX: TLS 1.2 floor using BCP 195) names these as required to offer; they work with an RSA certificate only. */
const DHE = ['DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES256-GCM-SHA384'];

/** OpenSSL's SSL_OP_NO_RENEGOTIATION and SSL_OP_NO_TICKET (openssl/ssl.h); the test compares them with Node's constants. */
export const NO_RENEGOTIATION = 0x4000_0000;
export const NO_TICKET = 0x4000;

const COMMON: TlsOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519MLKEM768:X25519:prime256v1:secp384r1',
  honorCipherOrder: false, // all of these are strong, so the client's hardware decides
};

export interface KeyMaterial {
  /** PEM: leaf first, then the chain up to, but without, the root. */
  readonly certificate: string;
  /** PEM, unencrypted. */
  readonly key: string;
}

/** The users' door never asks for a client certificate: a browser would show its owner a puzzling choice. */
export function usersTls(material: readonly KeyMaterial[]): TlsOptions {
  return {
    ...COMMON,
    ...pairs(material),
    ciphers: [TLS13, ...ECDHE].join(':'),
    secureOptions: NO_RENEGOTIATION,
    requestCert: false,
  };
}

/**
 * The nodes' door asks every connection for a certificate. `rejectUnauthorized` is off so that a client without a good one
 * gets an answer in plain words instead of a TLS alert; the check that counts is made for every request
 * (features/nodes). No renegotiation, so a connection cannot change its certificate; no resumption, so each
 * connection proves possession of its key anew.
 */
export function nodesTls(material: readonly KeyMaterial[], clientAuthorities: readonly string[]): TlsOptions {
  return {
    ...COMMON,
    ...pairs(material),
    ciphers: [TLS13, ...ECDHE, ...DHE].join(':'),
    dhparam: 'auto',
    secureOptions: NO_RENEGOTIATION | NO_TICKET,
    requestCert: true,
    rejectUnauthorized: false,
    ca: [...clientAuthorities],
    // An administrator may trust the authority that signs, without everything else its root signs.
    allowPartialTrustChain: true,
  };
}

function pairs(material: readonly KeyMaterial[]): Pick<TlsOptions, 'cert' | 'key'> {
  return { cert: material.map((pair) => pair.certificate), key: material.map((pair) => pair.key) };
}
