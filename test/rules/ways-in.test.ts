import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_IDENTITY_SETTINGS } from '../../src/features/identity/model.ts';
import { SIGN_IN_METHODS } from '../../src/features/identity/sessions.ts';
import * as wire from '../../src/features/identity/wire.ts';
import * as factors from '../../src/features/identity/wire-factors.ts';
import * as organisations from '../../src/features/identity/wire-organisations.ts';
import * as policies from '../../src/features/identity/wire-policy.ts';

/** What signing in must not have, and that all it has is written down: read from the program itself (docs/asvs.md). */
const PROGRAM = join(import.meta.dirname, '../..');
const README = readFileSync(join(PROGRAM, 'src/features/identity/README.md'), 'utf8');

const schemas = [wire, factors, organisations, policies].flatMap((one) =>
  Object.values(one).filter((value): value is z.ZodType => value instanceof z.ZodType),
);
interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}
const texts = schemas.map((schema) => z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }));

/** Every property's name and every word of a choice, in all that identity says and takes. */
function wordsOf(node: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(node)) for (const one of node) wordsOf(one, found);
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return found;
  const { properties, enum: choices, const: only } = node as JsonSchema;
  for (const name of Object.keys(properties ?? {})) found.add(name);
  for (const choice of [...(choices ?? []), only]) if (typeof choice === 'string') found.add(choice);
  for (const one of Object.values(node)) wordsOf(one, found);
  return found;
}
const words = [...wordsOf(texts)];

describe('ways in', () => {
  test('the schemas of identity are looked at', () => {
    expect(schemas.length).toBeGreaterThan(80);
    expect(words).toEqual(expect.arrayContaining(['password', 'authenticator', 'recovery-code', 'secondFactor']));
  });

  test('every way of signing in is written down with what it proves', () => {
    const [, table = ''] = /## Ways in\n\n([\s\S]*?)\n\n/.exec(README) ?? [];
    const methods = [...table.matchAll(/\| `([a-z-]+)` \|$/gm)].map(([, method]) => method);
    expect(new Set(methods)).toEqual(new Set<string>(SIGN_IN_METHODS));
    for (const line of table.split('\n').slice(2)) {
      expect(
        line
          .split('|')
          .map((cell) => cell.trim())
          .filter((cell) => cell === ''),
      ).toHaveLength(2);
    }
  });

  test('a second factor is an authenticator, a passkey or a recovery code: nothing by telephone, message, mail or push', () => {
    const second = wire.SignInPasswordAnswer;
    expect([...wordsOf(z.toJSONSchema(second))]).toEqual(expect.arrayContaining(['authenticator', 'passkey']));
    const others = /sms|phone|push|call|voice|mail-?code|saml|assertion-?consumer/i;
    expect(words.filter((word) => others.test(word))).toEqual([]);
    expect(SIGN_IN_METHODS.filter((method) => others.test(method))).toEqual([]);
  });

  test('there are no hints and no secret questions', () => {
    expect(words.filter((word) => /hint|question|maiden|pet\b|secretAnswer/i.test(word))).toEqual([]);
  });

  test('no setting makes a password end by its age', () => {
    expect(Object.keys(DEFAULT_IDENTITY_SETTINGS).filter((name) => /password/i.test(name))).toEqual(
      expect.arrayContaining([expect.stringMatching(/password/i)]),
    );
    expect(
      Object.keys(DEFAULT_IDENTITY_SETTINGS).filter((name) =>
        /(age|expir|rotat|history|days).*password|password.*(age|expir|rotat|history|days)/i.test(name),
      ),
    ).toEqual([]);
  });
});

describe('fields for passwords', () => {
  const pages = globSync('src/web/**/*.tsx', { cwd: PROGRAM }).map((path) => ({
    path,
    text: readFileSync(join(PROGRAM, path), 'utf8'),
  }));
  const fields = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/<PasswordInput\b[\s\S]*?\/>/g)].map(([field]) => ({ path, field })),
  );

  test('each is told to password managers, but for what is no password of a person', () => {
    expect(fields.length).toBeGreaterThanOrEqual(5);
    const untold = fields.filter(({ field }) => !/autoComplete="(current|new)-password"/.test(field));
    // The secret of this server at an identity provider: a manager would fill in the administrator's own password.
    expect(untold.map(({ path }) => path)).toEqual(['src/web/features/identity/provider-dialog.tsx']);
  });

  test('nothing keeps anybody from pasting into a field', () => {
    const kept = pages
      .filter(({ text }) => /onPaste|onBeforeInput|'(paste|beforeinput)'/.test(text))
      .map(({ path }) => path);
    expect(kept).toEqual([]);
  });
});
