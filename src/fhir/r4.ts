/**
 * The R4 structure definitions of the types this server speaks, out of the generated table.
 * Parser, validator, printer and summaries are all driven by it, so they cannot disagree about an element.
 */
import tables from './r4-tables.json' with { type: 'json' };

export interface ElementDefinition {
  /** As in JSON, a choice written out: `deceasedBoolean`. */
  readonly name: string;
  /** The name that the specification gives it: `deceased[x]`; equals `name` where there is no choice. */
  readonly base: string;
  /** Its place among the elements of its type. */
  readonly position: number;
  readonly type: string;
  readonly primitive: boolean;
  readonly required: boolean;
  readonly array: boolean;
  readonly inSummary: boolean;
  readonly modifier: boolean;
  /** Written as an XML attribute (Element.id, Extension.url). */
  readonly xmlAttribute: boolean;
  readonly codes: ReadonlySet<string> | undefined;
  /** Types a Reference may point at; undefined where any may be. */
  readonly targets: ReadonlySet<string> | undefined;
}

export interface TypeDefinition {
  readonly name: string;
  readonly isResource: boolean;
  /** In the order of the specification, which XML demands. */
  readonly elements: readonly ElementDefinition[];
  readonly byName: ReadonlyMap<string, ElementDefinition>;
  /** Those that XML writes as attributes. */
  readonly attributes: readonly ElementDefinition[];
  /** Names of required elements; a required choice is there by its base name. */
  readonly required: readonly string[];
  /** Base names of choices, with the JSON names of their alternatives. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
}

const PRIMITIVES: ReadonlySet<string> = new Set(
  (
    'base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time ' +
    'unsignedInt uri url uuid xhtml'
  ).split(' '),
);

export const FHIR_VERSION = tables.fhirVersion;

// The import's type lists every key; the reader asks by name.
const lines = tables.types as Readonly<Record<string, readonly string[]>>;
const codes = new Map(Object.entries(tables.codes).map(([name, list]) => [name, new Set<string>(list)]));
const resources = new Set<string>(tables.resources);
const made = new Map<string, TypeDefinition>();

/** Is this a resource type the table describes? Others cannot be checked and are refused. */
export const isKnownResource = (type: string): boolean => resources.has(type);

/** Every resource type of R4, known to the table or not. */
export const isR4Resource = (type: string): boolean => codes.get('resource-types')?.has(type) ?? false;

export function typeNames(): readonly string[] {
  return Object.keys(lines);
}

/** The definition of a complex type, backbone element (`Patient.contact`) or resource. Made once, on first use. */
export function typeDefinition(name: string): TypeDefinition {
  const known = made.get(name);
  if (known) return known;
  const own = Object.hasOwn(lines, name) ? lines[name] : undefined;
  if (!own) throw new Error(`no R4 definition of ${name}`);
  const elements = own.flatMap(parseLine).map((element, position) => ({ ...element, position }));
  const choices = Map.groupBy(
    elements.filter((element) => element.base.endsWith('[x]')),
    (element) => element.base,
  );
  const definition: TypeDefinition = {
    name,
    isResource: resources.has(name),
    elements,
    byName: new Map(elements.map((element) => [element.name, element])),
    attributes: elements.filter((element) => element.xmlAttribute),
    required: [...new Set(elements.filter((element) => element.required).map((element) => element.base))],
    choices: new Map([...choices].map(([base, list]) => [base, list.map((element) => element.name)])),
  };
  made.set(name, definition);
  return definition;
}

/** One line `name min max types flags binding` becomes one element, or one per type of a choice. */
function parseLine(line: string): Omit<ElementDefinition, 'position'>[] {
  const [base = '', min, max, types = '', flags = '', binding] = line.split(' ');
  return types.split('|').map((typeText) => {
    const [type = '', targets] = typeText.split(/[()]/);
    return {
      name: base.endsWith('[x]') ? base.slice(0, -3) + type.charAt(0).toUpperCase() + type.slice(1) : base,
      base,
      type,
      primitive: PRIMITIVES.has(type),
      required: min !== '0',
      array: max === '*',
      inSummary: flags.includes('s'),
      modifier: flags.includes('m'),
      xmlAttribute: flags.includes('x'),
      codes: binding === undefined ? undefined : codes.get(binding),
      targets: type === 'Reference' && targets !== undefined ? new Set(targets.split(',')) : undefined,
    };
  });
}
