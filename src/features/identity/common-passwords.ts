/** A few that this field's people would think of and that no list has; lower case. */
const OWN = [
  'correcthorsebatterystaple',
  'correct horse battery staple',
  'careseal123',
  'hospital',
  'healthcare',
  'clinicclinic',
];

/**
 * The 49,000 most used passwords as zxcvbn-ts keeps them, lower case. Loaded at the first password that anybody chooses: a
 * process that never sees one does not carry the list (20 MB).
 */
export function createCommonPasswords(): () => Promise<ReadonlySet<string>> {
  let loaded: Promise<ReadonlySet<string>> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set([...dictionary['passwords-common'].map((text) => String(text).toLowerCase()), ...OWN]);
}
