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
  for (const element of type.elements) {
    if (element.xmlAttribute) continue;
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

function printAttributes(value: Json, type: TypeDefinition): string {
  let out = '';
  for (const element of type.elements) {
    const own = element.xmlAttribute ? value[element.name] : undefined;
    if (own !== undefined) out += ` ${element.name}="${escapeAttribute(textOf(own))}"`;
  }
  return out;
}

function printPrimitive(name: string, value: unknown, sibling: unknown): string {
  const extra = typeof sibling === 'object' && sibling !== null ? (sibling as Json) : {};
  let attributes = printAttributes(extra, typeDefinition('Extension'));
  if (value !== undefined && value !== null) {
    attributes += ` value="${escapeAttribute(textOf(value))}"`;
  }
  return wrap(name, attributes, printChildren(extra, typeDefinition('Extension')));
}

const wrap = (name: string, attributes: string, children: string): string =>
  children === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${children}</${name}>`;
