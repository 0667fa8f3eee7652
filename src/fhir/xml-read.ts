import { SaxesParser } from 'saxes';
import { utf8Decode } from '../kernel/bytes.ts';

/** A small XML document as a tree, for formats other than FHIR. */
export interface XmlElement {
  /** As written, with its prefix. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The element's own text, joined. */
  readonly text: string;
}

interface Growing {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Growing[];
  text: string;
}

/**
 * Reads UTF-8 XML from somebody one does not trust. `undefined` where it is not well-formed, has a DOCTYPE (so no entity can be
 * declared) or is nested or split further than `limits` allow. Never fetches anything.
 */
export function readXml(
  bytes: Uint8Array,
  limits: { readonly depthMax: number; readonly elementsMax: number },
): XmlElement | undefined {
  const parser = new SaxesParser({ xmlns: false });
  const open: Growing[] = [];
  let root: Growing | undefined;
  let elements = 0;
  const refuse = (): never => {
    throw new Refused();
  };
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') refuse();
  });
  parser.on('opentag', ({ name, attributes }) => {
    elements += 1;
    if (elements > limits.elementsMax || open.length >= limits.depthMax) refuse();
    const element: Growing = { name, attributes: { ...attributes }, children: [], text: '' };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on('text', addText);
  parser.on('closetag', () => void open.pop());
  try {
    const text = utf8Decode(bytes);
    // Each listener more may slow down all of it (xml-parse.ts), so only where it is needed.
    if (text.includes('<![CDATA[')) parser.on('cdata', addText);
    parser.write(text.startsWith('\ufeff') ? text.slice(1) : text).close();
  } catch {
    // Not UTF-8, not well-formed or refused above: all of it is "not a document", told by the answer.
    return undefined;
  }
  return root;
}

class Refused extends Error {}
