import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import type { MailMessage, MailServer } from './model.ts';

/** One connection's worth of handing over. */
export interface Transport {
  /** Resolves once the mail server has taken the message. Rejects with nodemailer's error; see `failureOf`. */
  send(message: MailMessage & { readonly id: string }): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/**
 * SMTP with TLS that cannot be stripped: STARTTLS is demanded and the certificate is checked, except towards this machine,
 * where nothing is on the wire. The password is read at each connection, so that a changed file needs no restart.
 */
export function createSmtpTransport(server: MailServer): Transport {
  const { host, port, user, passwordFile, from, authorityFile } = server;
  const here = LOOPBACK.test(host) && authorityFile === undefined;
  const domain = from.split('@').at(-1) ?? 'careseal.invalid';
  return {
    async send({ id, to, subject, text }) {
      const transport = createTransport({
        host,
        port,
        secure: port === 465,
        requireTLS: !here,
        ignoreTLS: here && port !== 465,
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
        tls: {
          minVersion: 'TLSv1.2',
          ...(authorityFile === undefined ? {} : { ca: readFileSync(authorityFile) }),
        },
        ...(user === undefined ? {} : { auth: { user, pass: passwordFrom(passwordFile) } }),
      });
      try {
        await transport.sendMail({
          from: { name: 'Careseal', address: from },
          to: { name: '', address: to },
          subject,
          text,
          // The same at every try: a server that got it twice, because its first answer was lost, can tell.
          messageId: `<${id}@${domain}>`,
          // RFC 3834: no holiday notices in return.
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } finally {
        transport.close();
      }
    },
  };
}

function passwordFrom(file: string | undefined): string {
  return file === undefined ? '' : readFileSync(file, 'utf8').replace(/\r?\n$/, '');
}

export interface MailFailure {
  readonly code: 'connection' | 'tls' | 'sign-in' | 'refused' | 'busy';
  /** Whether trying again cannot help: the server has said no to this very message. */
  readonly final: boolean;
}

/** What went wrong, without any of the server's own words: they may quote the address. */
export function failureOf(error: unknown): MailFailure {
  const { code, responseCode } = error as { readonly code?: string; readonly responseCode?: number };
  if (code === 'ETLS' || code?.startsWith('ERR_TLS') === true || code?.includes('CERT') === true)
    return { code: 'tls', final: false };
  if (code === 'EAUTH' || code === 'ENOAUTH') return { code: 'sign-in', final: false };
  if (responseCode !== undefined && responseCode >= 500) return { code: 'refused', final: true };
  return { code: responseCode === undefined ? 'connection' : 'busy', final: false };
}
