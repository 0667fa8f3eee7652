import type { Resource } from '@medplum/fhirtypes';
import { utf8Encode } from '../kernel/bytes.ts';
import { decimalText } from './decimals.ts';
import { type ElementDefinition, type TypeDefinition, typeDefinition } from './r4.ts';
import { escapeAttribute } from './xml-escape.ts';

type Json = Readonly<Record<string, unknown>>;

/** A valid resource as FHIR XML, elements in the order of the specification. */
export function printFhirXml(resource: Resource): Uint8Array {
  // Read by element name, as the definitions list them.
  return utf8Encode(`<?xml version="1.0" encoding="UTF-8"?>${printResource(resource as unknown as Json, true)}`);
}

function printResource(resource: Json, root: boolean): string {
  const name = String(resource['resourceType']);
  const xmlns = root ? ' xmlns="http://hl7.org/fhir"' : '';
  return `<${name}${xmlns}>${printChildren(resource, typeDefinition(name))}</${name}>`;
}

function printChildren(value: Json, type: TypeDefinition): string {
  let out = '';
  for (const element of present(value, type)) {
    const own = value[element.name];
    const sibling = element.primitive ? value[`_${element.name}`] : undefined;
    if (own === undefined && sibling === undefined) continue;
    if (!element.array) out += printElement(element, own, sibling);
    else {
      const items = listOf(own);
      const siblings = listOf(sibling);
      for (let i = 0; i < Math.max(items.length, siblings.length); i++)
        out += printElement(element, items[i], siblings[i]);
    }
  }
  return out;
}

/**
 * The elements that a value has, in their order. Asked of the value and not of the type, since an Extension alone could have fifty;
 * sorted only where it is not in order already, as what this server stored mostly is.
 */
function present(value: Json, { byName }: TypeDefinition): readonly ElementDefinition[] {
  const found: ElementDefinition[] = [];
  let last = -1;
  let isInOrder = true;
  for (const key of Object.keys(value)) {
    const element = byName.get(key.startsWith('_') ? key.slice(1) : key);
    if (element === undefined || element.xmlAttribute || element.position === last) continue;
    if (element.position < last) isInOrder = false;
    last = element.position;
    found.push(element);
  }
  return isInOrder ? found : [...new Set(found)].sort((a, b) => a.position - b.position);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function printElement(element: ElementDefinition, value: unknown, sibling: unknown): string {
  const { name, type } = element;
  if (type === 'xhtml') return String(value);
  if (element.primitive) return printPrimitive(name, value, sibling);
  if (type === 'Resource') return `<${name}>${printResource(value as Json, false)}</${name}>`;
  const definition = typeDefinition(type);
  return wrap(name, printAttributes(value as Json, definition), printChildren(value as Json, definition));
}

/** A primitive's text; a valid resource has nothing else here. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (decimalText(value) ?? (value === true ? 'true' : 'false'));
}

function printAttributes(value: Json, { attributes }: TypeDefinition): string {
  let out = '';
  for (const { name } of attributes) {
    const own = value[name];
    if (own !== undefined) out += ` ${name}="${escapeAttribute(textOf(own))}"`;
  }
  return out;
}

function printPrimitive(name: string, value: unknown, sibling: unknown): string {
  const own = value === undefined || value === null ? '' : ` value="${escapeAttribute(textOf(value))}"`;
  if (typeof sibling !== 'object' || sibling === null) return `<${name}${own}/>`;
  const extra = sibling as Json;
  const extension = typeDefinition('Extension');
  return wrap(name, printAttributes(extra, extension) + own, printChildren(extra, extension));
}

const wrap = (name: string, attributes: string, children: string): string =>
  children === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${children}</${name}>`;
