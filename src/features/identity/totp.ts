import { Secret, TOTP } from 'otpauth';
import QRCode from 'qrcode';

/**
 * Time-based codes (RFC 6238) as authenticator apps read them: SHA-1, six digits, 30 seconds. The secret's 160 bits come in
 * from crypto/; nothing here reads a clock or randomness.
 */
const STEP_SECONDS = 30;
export const TOTP_SECRET_BYTES = 20;

/** Base 32, as it is stored (sealed) and typed. */
export function totpSecretText(bytes: Uint8Array): string {
  if (bytes.length < TOTP_SECRET_BYTES) throw new RangeError('A TOTP secret needs 160 bits');
  return new Secret({ buffer: Uint8Array.from(bytes).buffer }).base32;
}

/**
 * The time step a right code belongs to, within one step either way (a phone's clock, a slow thumb); `undefined` when it is
 * wrong. The caller accepts a step once only: RFC 6238 §5.2.
 */
export function totpStep(secret: string, code: string, nowMs: number): number | undefined {
  const totp = new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: STEP_SECONDS });
  // otpauth compares in constant time.
  const delta = totp.validate({ token: code, timestamp: nowMs, window: 1 });
  return delta === null ? undefined : Math.floor(nowMs / 1000 / STEP_SECONDS) + delta;
}

export interface TotpEnrolment {
  readonly uri: string;
  readonly key: string;
  readonly qrSvg: string;
}

/** What an authenticator app is shown: address, key in groups of four, and the QR as an SVG document. */
export async function totpEnrolment(secret: string, organisation: string, email: string): Promise<TotpEnrolment> {
  const totp = new TOTP({
    // A colon separates issuer from account in the address, and some apps split at every one.
    issuer: `Careseal ${organisation}`.replaceAll(':', ' '),
    label: email,
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits: 6,
    period: STEP_SECONDS,
  });
  const uri = totp.toString();
  const qrSvg = await QRCode.toString(uri, { type: 'svg', errorCorrectionLevel: 'M', margin: 2 });
  return { uri, key: secret.replaceAll(/(.{4})(?=.)/g, '$1 '), qrSvg };
}
