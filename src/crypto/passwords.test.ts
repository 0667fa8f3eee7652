import { expect, test } from 'vitest';
import { createPasswordHasher, exportSecretKey, keyFromPassphrase } from './index.ts';

test('hashes with Argon2id at the costs of OWASP, and verifies', async () => {
  const passwords = createPasswordHasher();
  const encoded = await passwords.hash('correct horse battery staple');
  expect(encoded).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await passwords.verify(encoded, 'correct horse battery staple')).toBe(true);
  expect(await passwords.verify(encoded, 'correct horse battery stapler')).toBe(false);
  expect(await passwords.hash('correct horse battery staple')).not.toBe(encoded);
});

test('the same letters typed on two keyboards are the same password', async () => {
  const passwords = createPasswordHasher();
  expect(await passwords.verify(await passwords.hash('caf\u00e9 \ufb01'), 'cafe\u0301 fi')).toBe(true);
});

test('nobody has no password, and asking takes as long', async () => {
  const passwords = createPasswordHasher();
  const encoded = await passwords.hash('a');
  const time = async (hash: string | undefined): Promise<number> => {
    // Of the processor: what else the machine does is not in it.
    const started = process.cpuUsage();
    for (let i = 0; i < 8; i++) expect(await passwords.verify(hash, `wrong ${i}`)).toBe(false);
    return process.cpuUsage(started).user;
  };
  await time(encoded);
  const [somebody, nobody] = [await time(encoded), await time(undefined)];
  // Both are eight full hashes; a short cut for nobody would be hundreds of times faster.
  expect(nobody / somebody).toBeGreaterThan(0.2);
});

test('weaker hashes are to be made again', () => {
  const { needsRehash } = createPasswordHasher();
  expect(needsRehash('$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA')).toBe(false);
  expect(needsRehash('$argon2id$v=19$m=4096,t=2,p=1$c2FsdA$aGFzaA')).toBe(true);
  expect(needsRehash('$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA')).toBe(true);
});

test('a flood waits in line, and a longer one is turned away', async () => {
  const passwords = createPasswordHasher({ parallelMax: 1, waitingMax: 2 });
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash('x')));
  expect(outcomes.map((outcome) => outcome.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
  ]);
  expect(outcomes[4]).toMatchObject({ reason: { code: 'passwords-busy', kind: 'too-many-requests' } });
  await expect(passwords.hash('y')).resolves.toContain('$argon2id$');
});

test('a passphrase makes the same root key with the same salt and costs', async () => {
  const how = { salt: new Uint8Array(16).fill(7), memoryKiB: 64, passes: 1 };
  const key = await keyFromPassphrase('seven words make a very good passphrase', how);
  const same = await keyFromPassphrase('seven words make a very good passphrase', how);
  const other = await keyFromPassphrase('seven words make a very good passphrase', { ...how, passes: 2 });
  expect(exportSecretKey(key)).toEqual(exportSecretKey(same));
  expect(exportSecretKey(key)).not.toEqual(exportSecretKey(other));
});
