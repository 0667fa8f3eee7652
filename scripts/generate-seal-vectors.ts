/** Writes formats/vectors/sealed-at-rest.json: `node scripts/generate-seal-vectors.ts`. Same output every time. */
import { writeFileSync } from 'node:fs';
import { blindKey, exportSecretKey, hkdfSha256, secretKey, sha256 } from '../src/crypto/index.ts';
import { sealWithNonce } from '../src/crypto/seal.ts';
import { bindGolden, boundText, type GoldenFacts } from '../src/features/registry/golden-binding.ts';
import { toHex, utf8Encode } from '../src/kernel/bytes.ts';
import type { OrganisationId, ResourceId } from '../src/kernel/ids.ts';
import { rootSealingKey } from '../src/store/key-hierarchy.ts';

/** Keys and nonces anybody can make again: hashes of their names. */
const bytesOf = (name: string, length = 32): Uint8Array =>
  new Uint8Array(sha256(utf8Encode(`careseal vector ${name}`)).subarray(0, length));

const ID = '0198c5d2-9f0e-7c3a-8b3e-2f1f0d9c4a11';

interface SealCase {
  readonly comment: string;
  readonly keyId: number;
  readonly place: { readonly table: string; readonly type: string; readonly id: string; readonly version: number };
  readonly text: string;
}

const SEALS: readonly SealCase[] = [
  {
    comment: 'the first version of a patient',
    keyId: 2,
    place: { table: 'store.resource', type: 'Patient', id: ID, version: 1 },
    text: `{"resourceType":"Patient","id":"${ID}","name":[{"family":"Okello","given":["Amina"]}]}`,
  },
  {
    comment: 'the same text in its third version',
    keyId: 2,
    place: { table: 'store.resource', type: 'Patient', id: ID, version: 3 },
    text: `{"resourceType":"Patient","id":"${ID}","name":[{"family":"Okello","given":["Amina"]}]}`,
  },
  {
    comment: 'nothing, under the largest key id',
    keyId: 0xffffffff,
    place: { table: 't', type: '', id: '', version: 0 },
    text: '',
  },
  {
    comment: 'letters that JSON escapes, and letters beyond ASCII, in the place',
    keyId: 0x01020304,
    place: { table: 'audit.event', type: 'a\u0000b"\\\n', id: 'Ọládélé 🙂', version: 2147483647 },
    text: 'Ọládélé 🙂',
  },
  {
    comment: 'one block and one byte',
    keyId: 2,
    place: { table: 'nodes.authority', type: 'key', id: '1', version: 0 },
    text: '0123456789abcdef0',
  },
];

const seals = SEALS.map(({ comment, keyId, place, text }) => {
  const key = bytesOf(`data key ${keyId}`);
  const nonce = bytesOf(`nonce ${comment}`, 12);
  const plaintext = utf8Encode(text);
  const sealed = sealWithNonce({ id: keyId, key: secretKey(key) }, plaintext, { context: place, nonce });
  const additionalData = JSON.stringify([1, keyId, place.table, place.type, place.id, place.version]);
  return {
    comment,
    keyId,
    key: toHex(key),
    nonce: toHex(nonce),
    ...place,
    additionalData: toHex(utf8Encode(additionalData)),
    plaintext: toHex(plaintext),
    sealed: toHex(sealed),
  };
});

const rootKey = secretKey(bytesOf('root key'));
const root = rootSealingKey(rootKey);
const wrapping = { id: 1, key: secretKey(bytesOf('key-encryption key')) };
const wrapped = [
  { by: root, id: 1, purpose: 'key-encryption', family: 'all', key: wrapping.key },
  { by: wrapping, id: 2, purpose: 'data', family: 'record', key: secretKey(bytesOf('data key 2')) },
  { by: wrapping, id: 3, purpose: 'index', family: 'record', key: secretKey(bytesOf('index key')) },
].map(({ by, id, purpose, family, key }) => {
  const nonce = bytesOf(`nonce of wrapped key ${id}`, 12);
  const context = { table: 'keys.key', type: `${purpose}/${family}`, id: String(id), version: 1 };
  return {
    purpose,
    family,
    id,
    wrappingKeyId: by.id,
    wrappingKey: toHex(exportSecretKey(by.key)),
    nonce: toHex(nonce),
    key: toHex(exportSecretKey(key)),
    wrapped: toHex(sealWithNonce(by, exportSecretKey(key), { context, nonce })),
  };
});

const indexKey = bytesOf('index key');
const TERMS = [
  ['Patient.family', 'okello'],
  ['Patient.given', 'okello'],
  ['Patient.birthdate', '1990-01-31'],
  ['Patient.identifier', 'urn:ug:nin|CM90012345ABCD'],
  ['Patient.family', 'ọládélé 🙂'],
  ['Patient.family', ''],
  ['matching.block', 'x'.repeat(200)],
] as const;
const tokens = TERMS.map(([parameter, value]) => {
  const info = utf8Encode(`careseal blind 1 ${parameter}`);
  return {
    indexKey: toHex(indexKey),
    parameter,
    parameterKey: toHex(hkdfSha256(secretKey(indexKey), new Uint8Array(0), info, 32)),
    value,
    token: blindKey(secretKey(indexKey), parameter).blind(value).toString(),
  };
});

/** Golden records (§7): one record, two of two organisations and shared with a third, and none. */
const [NORTH, SOUTH, EAST] = ['b', 'c', 'd'].map(
  (last) => `0198c5d2-0000-7000-8000-00000000000${last}` as OrganisationId,
);
const member = (last: string, domainId: number, version: number) => ({
  id: `0198c5d2-9f0e-7c3a-8b3e-2f1f0d9c4a${last}` as ResourceId,
  ...{ domainId, version },
});
const DOMAINS = { 7: NORTH, 12: SOUTH };
const domains = {
  byId: (id: number) => {
    const organisationId = DOMAINS[id as keyof typeof DOMAINS];
    return organisationId && { id, system: `urn:${id}`, organisationId };
  },
  bySystem: () => undefined,
  all: () => [],
};
const goldenId = ID as ResourceId;
const FACTS = [
  { goldenId, version: 3, organisations: [NORTH], sharedWith: [], members: [member('12', 7, 2)] },
  {
    ...{ goldenId, version: 4, organisations: [NORTH, SOUTH, EAST], sharedWith: [EAST] },
    members: [member('ff', 7, 10), member('12', 12, 1)],
  },
  { goldenId, version: 5, organisations: [], sharedWith: [], members: [] },
].map((facts) => facts as GoldenFacts);
const bindings = FACTS.map((facts) => ({
  indexKey: toHex(indexKey),
  ...{ ...facts, organisationOfDomain: DOMAINS },
  text: boundText(facts, domains),
  binding: bindGolden(
    { blind: (name, value) => blindKey(secretKey(indexKey), name).blind(value) },
    facts,
    domains,
  ).toString(),
}));

const vectors = {
  format: 'formats/sealed-at-rest.md, version 1',
  seals,
  rootKey: { key: toHex(exportSecretKey(rootKey)), id: root.id },
  wrapped,
  tokens,
  bindings,
};
const out = process.argv[2] ?? new URL('../formats/vectors/sealed-at-rest.json', import.meta.url).pathname;
writeFileSync(out, `${JSON.stringify(vectors, null, 2)}\n`);
