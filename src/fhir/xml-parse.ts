import { SaxesParser, type SaxesTagNS } from 'saxes';
import { utf8Decode } from '../kernel/bytes.ts';
import { Problem } from '../kernel/problem.ts';
import { exactNumber } from './decimals.ts';
import type { FhirProblemCode } from './issue.ts';
import { type ElementDefinition, isKnownResource, isR4Resource, type TypeDefinition, typeDefinition } from './r4.ts';
import { escapeAttribute, escapeText } from './xml-escape.ts';

/**
 * FHIR XML to the JSON form, driven by the structure definitions: they tell what repeats, what is a number and what is a
 * choice. A streaming parser with neither DTD nor entities, so there is nothing to expand and nothing to fetch.
 * What comes out is checked by validateResource like any JSON.
 */
const FHIR = 'http://hl7.org/fhir';
const XHTML = 'http://www.w3.org/1999/xhtml';
const DEPTH_MAX = 60;
const ELEMENTS_MAX = 200_000;

type Json = Record<string, unknown>;

/** One open element. `resource` frames hold `<contained><Patient>`, whose child is the resource itself. */
interface Frame {
  readonly kind: 'complex' | 'primitive' | 'resource-slot';
  readonly type: TypeDefinition | undefined;
  readonly value: Json;
  readonly element: ElementDefinition | undefined;
  readonly primitiveValue: string | undefined;
}

/** Parses an XML body. Throws Problem `fhir-xml` (400) with the line, never with content. */
export function parseFhirXml(input: Uint8Array | string): unknown {
  const reader = new FhirXmlReader();
  return reader.read(typeof input === 'string' ? input : decode(input));
}

function decode(bytes: Uint8Array): string {
  try {
    const text = utf8Decode(bytes);
    return text.startsWith('\ufeff') ? text.slice(1) : text;
  } catch {
    throw xmlProblem('The body is not UTF-8.');
  }
}

function xmlProblem(detail: string, expression?: string): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-xml', detail, {
    fhirCode: 'structure',
    ...(expression ? { expression: [expression] } : {}),
  });
}

class FhirXmlReader {
  private readonly parser = new SaxesParser({ xmlns: true, position: true });
  private readonly frames: Frame[] = [];
  private result: Json | undefined;
  private elements = 0;
  /** The narrative being gathered, and how deep in it we are. */
  private div = '';
  private divDepth = 0;

  read(text: string): unknown {
    const { parser } = this;
    parser.on('error', () => this.refuse('The XML is not well-formed'));
    parser.on('doctype', () => this.refuse('A DOCTYPE is not accepted'));
    parser.on('processinginstruction', () => this.refuse('Processing instructions are not accepted'));
    parser.on('opentag', (tag) => this.open(tag));
    parser.on('closetag', (tag) => this.close(tag));
    parser.on('text', (content) => this.text(content));
    // A seventh listener makes V8 keep the parser's fields in a table, and everything four times slower: so only where it is needed.
    if (text.includes('<![CDATA[')) parser.on('cdata', (content) => this.text(content));
    parser.write(text).close();
    if (!this.result) throw this.problem('A FHIR resource was expected');
    return this.result;
  }

  private problem(detail: string): Problem {
    const expression = this.frames.map((frame) => frame.element?.name ?? frame.type?.name ?? '').filter(Boolean);
    return xmlProblem(`${detail} (line ${this.parser.line}).`, expression.join('.') || undefined);
  }

  private refuse(detail: string): never {
    throw this.problem(detail);
  }

  private open(tag: SaxesTagNS): void {
    if (this.elements === 0) this.checkEncoding();
    this.elements += 1;
    if (this.elements > ELEMENTS_MAX) this.refuse(`There are more than ${ELEMENTS_MAX} elements`);
    if (this.frames.length + this.divDepth >= DEPTH_MAX) this.refuse('The elements are nested too deeply');
    if (this.divDepth > 0) return this.openInDiv(tag);
    const frame = this.frames.at(-1);
    if (!frame || frame.kind === 'resource-slot') return this.openResource(tag);
    if (frame.kind === 'primitive' && tag.local !== 'extension')
      this.refuse('A simple value has no elements but extension');
    const element = frame.type?.byName.get(tag.local);
    if (!element || element.xmlAttribute) this.refuse('There is no such element here');
    if (element.type === 'xhtml') return this.openDiv(tag);
    if (tag.uri !== FHIR) this.refuse('An element is not in the namespace http://hl7.org/fhir');
    this.openElement(tag, element);
  }

  private checkEncoding(): void {
    const { encoding } = this.parser.xmlDecl;
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') this.refuse('The encoding must be UTF-8');
  }

  private openResource(tag: SaxesTagNS): void {
    if (tag.uri !== FHIR) this.refuse('The resource is not in the namespace http://hl7.org/fhir');
    if (!isKnownResource(tag.local)) {
      this.refuse(isR4Resource(tag.local) ? 'This resource type is not supported' : 'There is no such resource type');
    }
    this.attributes(tag, []);
    const value: Json = { resourceType: tag.local };
    const slot = this.frames.at(-1);
    if (slot && Object.keys(slot.value).length > 0) this.refuse('There is one resource in each of these elements');
    if (slot) slot.value['resource'] = value;
    else this.result = value;
    this.frames.push({
      kind: 'complex',
      type: typeDefinition(tag.local),
      value,
      element: undefined,
      primitiveValue: undefined,
    });
  }

  private openElement(tag: SaxesTagNS, element: ElementDefinition): void {
    const value: Json = {};
    if (element.type === 'Resource') {
      this.attributes(tag, []);
      this.frames.push({ kind: 'resource-slot', type: undefined, value, element, primitiveValue: undefined });
    } else if (element.primitive) {
      const { value: text, id } = this.attributes(tag, ['value', 'id']);
      if (id !== undefined) value['id'] = id;
      this.frames.push({ kind: 'primitive', type: typeDefinition('Extension'), value, element, primitiveValue: text });
    } else {
      const type = typeDefinition(element.type);
      const names = type.attributes.map((child) => child.name);
      Object.assign(value, this.attributes(tag, names));
      this.frames.push({ kind: 'complex', type, value, element, primitiveValue: undefined });
    }
  }

  /** Attributes by name; namespace declarations and schema locations say nothing about the content. */
  private attributes(tag: SaxesTagNS, allowed: readonly string[]): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { prefix, local, value, name } of Object.values(tag.attributes)) {
      if (prefix === 'xmlns' || name === 'xmlns' || prefix === 'xsi') continue;
      if (prefix !== '' || !allowed.includes(local)) this.refuse('There is no such attribute here');
      found[local] = value;
    }
    return found;
  }

  private close(tag: SaxesTagNS): void {
    if (this.divDepth > 0) return this.closeInDiv(tag);
    const frame = this.frames.pop();
    const parent = this.frames.at(-1);
    if (!frame?.element || !parent) return;
    if (frame.kind === 'primitive') this.addPrimitive(parent, frame, frame.element);
    else
      this.add(
        parent.value,
        frame.element,
        frame.kind === 'resource-slot' ? (frame.value['resource'] ?? {}) : frame.value,
      );
  }

  private add(into: Json, element: ElementDefinition, value: unknown): void {
    const before = into[element.name];
    if (!element.array) {
      if (before !== undefined) this.refuse('An element that does not repeat is there twice');
      into[element.name] = value;
    } else if (Array.isArray(before)) before.push(value);
    else into[element.name] = [value];
  }

  /** `<given value="Ann"/>`: the value in `given`, id and extensions in `_given`, padded with null where one is missing. */
  private addPrimitive(parent: Frame, frame: Frame, element: ElementDefinition): void {
    const sibling = `_${element.name}`;
    const value = frame.primitiveValue === undefined ? undefined : typed(element.type, frame.primitiveValue);
    const extra = Object.keys(frame.value).length > 0 ? frame.value : undefined;
    const into = parent.value;
    if (value === undefined && extra === undefined) this.refuse('An element is empty');
    if (!element.array) {
      if (into[element.name] !== undefined || into[sibling] !== undefined) {
        this.refuse('An element that does not repeat is there twice');
      }
      if (value !== undefined) into[element.name] = value;
      if (extra) into[sibling] = extra;
      return;
    }
    const values = arrayIn(into, element.name);
    const extras = arrayIn(into, sibling);
    const index = Math.max(values.length, extras.length);
    if (value !== undefined) put(into, element.name, values, index, value);
    if (extra) put(into, sibling, extras, index, extra);
    // Both arrays stay aligned: one that exists gets a null for what it lacks.
    for (const [name, list] of [
      [element.name, values],
      [sibling, extras],
    ] as const) {
      if (into[name] !== undefined && list.length <= index) list.push(null);
    }
  }

  private text(content: string): void {
    if (this.divDepth > 0) this.div += escapeText(content);
    else if (content.trim() !== '') this.refuse('Text outside of attributes is not accepted');
  }

  private openDiv(tag: SaxesTagNS): void {
    if (tag.uri !== XHTML) this.refuse('The narrative is not in the namespace http://www.w3.org/1999/xhtml');
    this.div = '';
    this.openInDiv(tag, true);
  }

  private openInDiv(tag: SaxesTagNS, root = false): void {
    if (tag.uri !== XHTML) this.refuse('The narrative is not in the namespace http://www.w3.org/1999/xhtml');
    this.divDepth += 1;
    this.div += `<${tag.local}${root ? ` xmlns="${XHTML}"` : ''}`;
    for (const { prefix, name, value } of Object.values(tag.attributes)) {
      if (prefix !== 'xmlns' && name !== 'xmlns') this.div += ` ${name}="${escapeAttribute(value)}"`;
    }
    this.div += tag.isSelfClosing ? '/>' : '>';
  }

  private closeInDiv(tag: SaxesTagNS): void {
    this.divDepth -= 1;
    if (!tag.isSelfClosing) this.div += `</${tag.local}>`;
    if (this.divDepth > 0) return;
    const parent = this.frames.at(-1);
    if (parent) this.setDiv(parent.value);
  }

  private setDiv(narrative: Json): void {
    if (narrative['div'] !== undefined) this.refuse('An element that does not repeat is there twice');
    narrative['div'] = this.div;
  }
}

function arrayIn(into: Json, name: string): unknown[] {
  const known = into[name];
  return Array.isArray(known) ? known : [];
}

function put(into: Json, name: string, list: unknown[], index: number, value: unknown): void {
  while (list.length < index) list.push(null);
  list.push(value);
  into[name] = list;
}

/** The JSON value of an attribute; what does not parse stays text, and validation says so with its place. */
function typed(type: string, text: string): unknown {
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'integer':
    case 'unsignedInt':
    case 'positiveInt':
    case 'decimal':
      return exactNumber(text) ?? text;
    default:
      return text;
  }
}
