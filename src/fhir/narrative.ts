import { SaxesParser } from 'saxes';

/**
 * Narrative (R4 §2.4): well-formed XHTML in one div, with the plain formatting elements only. Somebody will show it in a
 * browser one day, so anything that could act there is refused: elements and attributes are listed, not the dangers.
 */
const XHTML = 'http://www.w3.org/1999/xhtml';

const ELEMENTS: ReadonlySet<string> = new Set(
  (
    'a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 ' +
    'hr i img ins kbd li map area ol p pre q s samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var'
  ).split(' '),
);
const ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite ' +
    'class color cols colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nohref ' +
    'nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign value vspace width'
  ).split(' '),
);
const LINK_ATTRIBUTES: ReadonlySet<string> = new Set(['href', 'src', 'cite', 'longdesc']);
const SAFE_LINK = /^(?:https?:|mailto:|tel:|#|\/(?!\/)|\.|[A-Za-z0-9_-]+(?:[/?#.]|$)|data:image\/(?:png|jpeg|gif);)/i;
const DEPTH_MAX = 64;

/** Why the text is no acceptable narrative; undefined when it is. */
export function narrativeFault(div: string): string | undefined {
  let fault: string | undefined;
  let depth = 0;
  let content = false;
  const parser = new SaxesParser({ xmlns: true, fragment: false });
  const refuse = (text: string): void => {
    fault ??= text;
  };
  parser.on('error', () => refuse('the narrative is not well-formed XHTML'));
  parser.on('doctype', () => refuse('the narrative must not have a DOCTYPE'));
  parser.on('processinginstruction', () => refuse('the narrative must not have processing instructions'));
  parser.on('xmldecl', () => refuse('the narrative must not have an XML declaration'));
  parser.on('opentag', (tag) => {
    depth += 1;
    if (tag.uri !== XHTML) refuse('the narrative must be in the namespace http://www.w3.org/1999/xhtml');
    else if (depth === 1 && tag.local !== 'div') refuse('the narrative must be one div');
    else if (depth > DEPTH_MAX) refuse('the narrative is nested too deeply');
    else if (!ELEMENTS.has(tag.local)) refuse('the narrative has an element that FHIR does not allow');
    if (tag.local === 'img') content = true;
    for (const attribute of Object.values(tag.attributes)) {
      if (!isSafeAttribute(attribute)) refuse('the narrative has an attribute or link that FHIR does not allow');
    }
  });
  parser.on('closetag', () => {
    depth -= 1;
  });
  parser.on('text', (text) => {
    if (text.trim() !== '') content = true;
  });
  parser.on('cdata', () => {
    content = true;
  });
  try {
    parser.write(div).close();
  } catch {
    refuse('the narrative is not well-formed XHTML');
  }
  return fault ?? (content ? undefined : 'the narrative must have some text or an image');
}

function isSafeAttribute(attribute: { prefix: string; local: string; value: string }): boolean {
  if (attribute.prefix === 'xmlns' || (attribute.prefix === '' && attribute.local === 'xmlns')) return true;
  if (attribute.prefix === 'xml') return attribute.local === 'lang' || attribute.local === 'space';
  if (attribute.prefix !== '' || !ATTRIBUTES.has(attribute.local)) return false;
  if (attribute.local === 'style') return !/url\s*\(|expression\s*\(|@import|javascript:|\\/i.test(attribute.value);
  return !LINK_ATTRIBUTES.has(attribute.local) || SAFE_LINK.test(attribute.value.trim());
}
