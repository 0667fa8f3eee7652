import { hashToken, newId, randomToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { IdentitySettings } from './model.ts';
import type { Browser } from './sessions.ts';
import type { TrustedDevice, TrustedDeviceStore } from './trusted-device-store.ts';

export const TRUSTED_COOKIE = 'trusted';
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const DAY_MS = 86_400_000;

export interface TrustedDevicesDeps {
  readonly store: TrustedDeviceStore;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}

/**
 * "Do not ask again on this device": a password is then enough for a while. Bound to the last real second factor, whose age
 * decides; the token changes at every use, so that a copied cookie is worth at most one sign-in and shows.
 */
export type TrustedDevices = ReturnType<typeof createTrustedDevices>;

export function createTrustedDevices({ store, clock, settings }: TrustedDevicesDeps) {
  return {
    /** The device that this browser is to this person, when the policy lets it count. */
    async find(sql: Sql, userId: UserId, token: string | undefined): Promise<TrustedDevice | undefined> {
      if (!settings.trustedDevices || token === undefined || !TOKEN.test(token)) return undefined;
      const nowMs = clock.nowMs();
      const factorAfterMs = nowMs - settings.trustedDeviceDays * DAY_MS;
      return await store.find(sql, userId, { tokenHash: hashToken(token), nowMs, factorAfterMs });
    },

    /** The next token; undefined when somebody else has used the old one meanwhile. */
    async rotate(tx: Transaction, device: TrustedDevice, token: string): Promise<CookieChange | undefined> {
      const next = randomToken(256);
      const to = { oldHash: hashToken(token), newHash: hashToken(next), nowMs: clock.nowMs() };
      if (!(await store.rotate(tx, device, to))) return undefined;
      return trustedCookie(next, device.expiresMs - clock.nowMs());
    },

    /** After a real second factor, where the person asked for it. Ends what this browser was before. */
    async trust(tx: Transaction, userId: UserId, browser: Browser): Promise<CookieChange | undefined> {
      const { trustedToken, address, userAgent } = browser;
      if (trustedToken !== undefined && TOKEN.test(trustedToken)) {
        await store.removeToken(tx, userId, hashToken(trustedToken));
      }
      if (!settings.trustedDevices) return undefined;
      const token = randomToken(256);
      const nowMs = clock.nowMs();
      const lifeMs = settings.trustedDeviceDays * DAY_MS;
      await store.insert(tx, userId, {
        id: newId(),
        tokenHash: hashToken(token),
        browser: {
          ...(address === undefined ? {} : { address }),
          ...(userAgent === undefined ? {} : { userAgent: userAgent.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 200) }),
        },
        nowMs,
        expiresMs: nowMs + lifeMs,
      });
      return trustedCookie(token, lifeMs);
    },

    ofUser: (sql: Sql, userId: UserId) => store.ofUser(sql, userId, clock.nowMs()),
    remove: store.remove,
    removeAll: store.removeAll,
    deleteExpired: store.deleteExpired,
  };
}

const trustedCookie = (value: string, lifeMs: number): CookieChange => ({
  name: TRUSTED_COOKIE,
  value,
  maxAgeSeconds: Math.max(1, Math.floor(lifeMs / 1000)),
});
