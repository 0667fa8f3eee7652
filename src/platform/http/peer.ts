import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The client certificate a connection proved to hold. Proof of the private key is part of every TLS handshake. */
export interface PeerCertificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** OpenSSL's verdict on chain, dates and purpose (`CERT_HAS_EXPIRED` …); absent when it found nothing wrong. */
  readonly chainError?: string;
}

/**
 * Keyed by connection, so one connection's certificate can never answer for another's. A connection's certificate cannot
 * change: renegotiation is off and TLS 1.3's post-handshake authentication is not offered (see platform/tls/profiles.ts).
 */
const bySocket = new WeakMap<Socket, PeerCertificate | null>();

export function peerCertificate(socket: Socket): PeerCertificate | undefined {
  const known = bySocket.get(socket);
  if (known !== undefined) return known ?? undefined;
  const read = socket instanceof TLSSocket ? readPeer(socket) : undefined;
  bySocket.set(socket, read ?? null);
  return read;
}

function readPeer(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const error: unknown = socket.authorizationError;
  const chainError = socket.authorized ? undefined : verdictText(error);
  return {
    der: certificate.raw,
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    ...(chainError === undefined ? {} : { chainError }),
  };
}

/** Node gives OpenSSL's code as text, though its types say Error. */
function verdictText(error: unknown): string {
  if (typeof error === 'string') return error;
  return error instanceof Error ? error.message : 'UNVERIFIED';
}
