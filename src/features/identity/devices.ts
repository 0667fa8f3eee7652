import { hashToken, randomToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { signInStore } from './sign-in-store.ts';

export const DEVICE_COOKIE = 'device';
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Whether this browser has signed in to the account before: its counter's name if so (OWASP device-cookie protocol). */
export async function knownDevice(
  sql: Sql,
  userId: UserId | undefined,
  at: { readonly token: string | undefined; readonly nowMs: number },
): Promise<Buffer | undefined> {
  if (userId === undefined || at.token === undefined || !TOKEN.test(at.token)) return undefined;
  const tokenHash = hashToken(at.token);
  return (await signInStore.knowsDevice(sql, tokenHash, userId, at.nowMs)) ? tokenHash : undefined;
}

/** The same of whoever owes a code under `preHash`. */
export async function knownDeviceOwing(
  sql: Sql,
  preHash: Uint8Array,
  at: { readonly token: string | undefined; readonly nowMs: number },
): Promise<Buffer | undefined> {
  const tokenHash = deviceHash(at.token);
  if (tokenHash === undefined) return undefined;
  return (await signInStore.knowsDeviceOwing(sql, tokenHash, preHash, at.nowMs)) ? tokenHash : undefined;
}

/** What the browser's cookie is, whether anybody knows it or not. */
export const deviceHash = (token: string | undefined): Buffer | undefined =>
  token !== undefined && TOKEN.test(token) ? hashToken(token) : undefined;

/** A fresh token for this browser; whoever else uses the browser moves on to it, so an old or planted one is worth nothing. */
export async function rememberDevice(
  tx: Transaction,
  userId: UserId,
  device: { readonly oldToken: string | undefined; readonly nowMs: number; readonly days: number },
): Promise<CookieChange> {
  const token = randomToken(256);
  const tokenHash = hashToken(token);
  const { oldToken } = device;
  const moves = oldToken !== undefined && TOKEN.test(oldToken);
  const lifeSeconds = device.days * 86_400;
  await Promise.all([
    moves ? signInStore.moveDevice(tx, hashToken(oldToken), tokenHash) : undefined,
    signInStore.rememberDevice(tx, tokenHash, userId, device.nowMs + lifeSeconds * 1000),
  ]);
  return { name: DEVICE_COOKIE, value: token, maxAgeSeconds: lifeSeconds };
}
