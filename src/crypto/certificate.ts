import { createPrivateKey, X509Certificate } from 'node:crypto';

/** OpenSSL's own reading of a certificate: issuer, key and purpose as a TLS handshake sees them. */
export { X509Certificate as OpensslCertificate } from 'node:crypto';

/** PKCS #8 under a passphrase, PEM: PBES2 with AES-256, as `openssl pkcs8 -topk8` writes and reads it. */
export function sealKeyFile(pkcs8: Uint8Array, passphrase: string): string {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
}

/** The key of such a file, DER; undefined when the passphrase is wrong or the key is not this certificate's. */
export function openKeyFile(
  pem: string,
  passphrase: string,
  certificatePem: string,
): Uint8Array<ArrayBuffer> | undefined {
  try {
    const block = /-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----[\s\S]+?-----END (?:ENCRYPTED )?PRIVATE KEY-----/.exec(
      pem,
    );
    if (block === null) return undefined;
    const key = createPrivateKey({ key: block[0], format: 'pem', passphrase });
    if (!new X509Certificate(certificatePem).checkPrivateKey(key)) return undefined;
    return new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  } catch {
    // OpenSSL's messages differ by version; each of them means that this is not the file and passphrase asked for.
    return undefined;
  }
}
