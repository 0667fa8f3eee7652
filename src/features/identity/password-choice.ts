import type { PasswordHasher } from '../../crypto/index.ts';
import { passwordRefused } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import { passwordReasons } from './password-policy.ts';
import type { PasswordReason } from './wire.ts';

export interface PasswordChoice {
  /** Why this password is not taken, in plain words; empty when it is. `words`: the person's and organisation's own. */
  reasons(password: string, words: readonly string[]): Promise<readonly PasswordReason[]>;
  /** Its Argon2id hash. Throws `password-refused` with the reasons. */
  accept(password: string, words: readonly string[]): Promise<string>;
}

interface PasswordChoiceDeps {
  readonly passwords: PasswordHasher;
  readonly settings: IdentitySettings;
  readonly commonPasswords: () => Promise<ReadonlySet<string>>;
}

/** The one way to a new password, whoever sets it. */
export function createPasswordChoice({ passwords, settings, commonPasswords }: PasswordChoiceDeps): PasswordChoice {
  async function reasons(password: string, words: readonly string[]): Promise<readonly PasswordReason[]> {
    return passwordReasons(password, words, { lengthMin: settings.passwordLengthMin, common: await commonPasswords() });
  }
  return {
    reasons,
    async accept(password, words) {
      const against = await reasons(password, words);
      if (against.length > 0) throw passwordRefused(against);
      return await passwords.hash(password);
    },
  };
}
