import type { PasswordHasher } from '../../crypto/index.ts';
import { passwordRefused } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import { passwordReasons } from './password-policy.ts';
import { passwordLengthFor } from './policy-rules.ts';
import type { PasswordReason } from './wire.ts';

export interface PasswordChoice {
  /** Why this password is not taken, in plain words; empty when it is. `words`: the person's and organisation's own. */
  reasons(password: string, words: readonly string[], lengthMin?: number): Promise<readonly PasswordReason[]>;
  /** Its Argon2id hash. Throws `password-refused` with the reasons. `lengthMin`: default that of the policy with a factor. */
  accept(password: string, words: readonly string[], lengthMin?: number): Promise<string>;
}

interface PasswordChoiceDeps {
  readonly passwords: PasswordHasher;
  readonly settings: IdentitySettings;
  readonly commonPasswords: () => Promise<ReadonlySet<string>>;
}

/** The one way to a new password, whoever sets it. */
export function createPasswordChoice({ passwords, settings, commonPasswords }: PasswordChoiceDeps): PasswordChoice {
  async function reasons(
    password: string,
    words: readonly string[],
    lengthMin = defaultLength(settings),
  ): Promise<readonly PasswordReason[]> {
    const common = await commonPasswords();
    return passwordReasons(password, [...words, ...settings.blocklistWords], { lengthMin, common });
  }
  return {
    reasons,
    async accept(password, words, lengthMin) {
      const against = await reasons(password, words, lengthMin);
      if (against.length > 0) throw passwordRefused(against);
      return await passwords.hash(password);
    },
  };
}

/** Where nobody is known yet: what the server asks of everybody. */
function defaultLength(settings: IdentitySettings): number {
  return passwordLengthFor(settings.secondFactor, settings);
}
