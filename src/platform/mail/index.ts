/**
 * Mail goes out through a spool: `enqueue` commits with the act it tells of, a loop of the process that does background work
 * hands it over, again and again until it was taken, refused for good or too late. Not a job of platform/jobs, since a load
 * that runs for an hour must not hold up a sign-in link.
 */
export { createMail, type Mail, type MailDeps } from './mail.ts';
export type { MailMessage, MailSeal, MailServer, MailStatus, OutgoingMail } from './model.ts';
/** SMTP, for `createMail`. */
export { createSmtpTransport, type Transport } from './transport.ts';
