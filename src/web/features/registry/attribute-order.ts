/** As people look for it: who, then how to reach them, then the numbers. The rest follows in the server's order. */
const ORDER = ['name', 'birthDate', 'gender', 'deceased', 'telecom', 'address', 'identifier'] as const;

export function rank(path: string): number {
  const found = ORDER.findIndex((one) => path.startsWith(one));
  return found === -1 ? ORDER.length : found;
}
