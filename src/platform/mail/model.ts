import { z } from 'zod';
import type { SealContext, SealedAtRest } from '../../crypto/index.ts';

/** A message as it waits, sealed, in the spool. Plain text: nothing in it can load from elsewhere. */
export const MailMessage = z.strictObject({
  /** One address, already checked to be one. */
  to: z.string().min(3).max(254),
  /** Never a name, an identifier or a health value: subjects are shown on locked telephones. */
  subject: z.string().min(1).max(160),
  text: z.string().min(1).max(100_000),
});
export type MailMessage = z.output<typeof MailMessage>;

export interface OutgoingMail extends MailMessage {
  /** What it is about, as a short code (`user.reset`): for the spool, metrics and the log. */
  readonly kind: string;
  /** Unix ms after which it is of no use and no longer sent; by default three days from now. */
  readonly expiresMs?: number;
}

/** Seals what waits; the key ring of store/ fits. */
export interface MailSeal {
  seal(plaintext: Uint8Array, context: SealContext): SealedAtRest;
  open(sealed: SealedAtRest, context: SealContext): Uint8Array;
}

/** Where messages go. Read from the settings at start. */
export interface MailServer {
  readonly host: string;
  /** 465: TLS from the first byte. Any other: STARTTLS, demanded unless the server is this machine. */
  readonly port: number;
  readonly user: string | undefined;
  readonly passwordFile: string | undefined;
  readonly from: string;
  /** PEM of the authority that signed the mail server's certificate, where it is not a public one. */
  readonly authorityFile: string | undefined;
}

export interface MailStatus {
  /** False: nothing can be sent, and pages offer a link to hand over instead. */
  readonly configured: boolean;
  readonly waiting: number;
  /** Unix ms since when the oldest one waits. */
  readonly oldestMs: number | undefined;
  /** Given up in the last seven days: refused by the server, or too late to be of use. */
  readonly givenUp: number;
  /** Short code of the latest failure: `connection`, `tls`, `sign-in`, `refused`, `expired`. */
  readonly lastFailure: string | undefined;
}
