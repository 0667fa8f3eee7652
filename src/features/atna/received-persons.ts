/** A client as other systems may name it. */
export interface Person {
  /** Of the client and the records it is made of. */
  readonly ids: readonly string[];
  readonly identifiers: readonly { readonly system: string; readonly value: string }[];
}

const OID = 'urn:oid:';

/** Everything that names this person and nobody else, in the forms that ITI-20 and FHIR events use. */
export function exactNames({ ids, identifiers }: Person): string[] {
  return [
    ...ids.flatMap((id) => [id, `Patient/${id}`]),
    ...identifiers.flatMap(({ system, value }) => [
      `${system}|${value}`,
      // HL7's CX, as messages about PIX and PDQ have it: `value^^^&oid&ISO`.
      ...(system.startsWith(OID) ? [`${value}^^^&${system.slice(OID.length)}&ISO`] : []),
    ]),
  ];
}

export interface PersonIndex {
  readonly isEmpty: boolean;
  /**
   * Whether one of these names may mean one of the people, whatever system it says: for holds, which rather spare too much.
   */
  mayName(names: readonly string[]): boolean;
}

export function createPersonIndex(people: readonly Person[]): PersonIndex {
  const known = new Set(people.flatMap(({ ids, identifiers }) => [...ids, ...identifiers.map(({ value }) => value)]));
  return {
    isEmpty: people.length === 0,
    mayName: (names) => names.some((name) => barest(name).some((one) => known.has(one))),
  };
}

/** A name without its system, its authority and its path. */
function barest(name: string): string[] {
  const value = name.slice(name.lastIndexOf('|') + 1);
  const first = value.split('^', 1)[0] ?? value;
  return [value, first, first.slice(first.lastIndexOf('/') + 1)];
}
