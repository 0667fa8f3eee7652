import type { Actor } from '../../kernel/principal.ts';
import type { Authority } from '../../platform/tls/index.ts';
import { readCertificate } from '../../platform/tls/index.ts';
import { openKeyFile, sealKeyFile } from '../../crypto/index.ts';
import { type AuthoritiesDeps, ensureAuthorities, openAuthority } from './authorities.ts';
import { nodeProblem } from './errors.ts';
import { FORGET_ROOT_KEY, LIST_AUTHORITIES, LOCK_AUTHORITIES } from './store.ts';

/** The root's key outside this installation: on a stick in a safe, needed once in years. */
export interface RootKey {
  /**
   * The newest root with its key, encrypted under the passphrase (PKCS #8, PEM). `forget` says that the file is safe: then
   * the key leaves the database. Refuses when it is away already.
   */
  takeAway(actor: Actor, passphrase: string): Promise<{ readonly pem: string; forget(): Promise<void> }>;
  /** Makes the next issuing authority, and the root's list of revoked certificates, with the key from its file. */
  renew(actor: Actor, pem: string, passphrase: string): Promise<void>;
}

export function createRootKey(deps: AuthoritiesDeps): RootKey {
  const { database, keyRing, audit } = deps;

  async function newestRoot() {
    const row = (await database.rows(LIST_AUTHORITIES)).find((candidate) => candidate.kind === 'root');
    if (row === undefined) throw new Error('There is no certificate authority; ensure() was not called.');
    return row;
  }

  return {
    async takeAway(actor, passphrase) {
      const row = await newestRoot();
      const { certificate, pkcs8 } = openAuthority(keyRing, row);
      const pem = certificate.pem + sealKeyFile(pkcs8, passphrase);
      return {
        pem,
        async forget() {
          await database.transaction(async (tx) => {
            await tx.rows(LOCK_AUTHORITIES);
            await tx.run(FORGET_ROOT_KEY, [row.id]);
            const detail = { certificateSha256: certificate.sha256 };
            await audit.record(tx, [{ actor, event: 'authority.root-away', action: 'U', outcome: 'success', detail }]);
          });
        },
      };
    },
    async renew(actor, pem, passphrase) {
      const row = await newestRoot();
      const certificate = readCertificate(row.certificate);
      const pkcs8 = openKeyFile(pem, passphrase, certificate.pem);
      if (pkcs8 === undefined)
        throw nodeProblem(
          'invalid',
          'root-key-wrong',
          'This file does not hold the key of the present root authority, or the passphrase is another one. Nothing was changed.',
        );
      const bring: Authority = { certificate, pkcs8 };
      await ensureAuthorities(deps, bring);
      const detail = { certificateSha256: certificate.sha256 };
      await audit.recordNow([{ actor, event: 'authority.root-back', action: 'E', outcome: 'success', detail }]);
    },
  };
}
