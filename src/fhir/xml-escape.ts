/** Text and attribute values in XML. White space in attributes is written as references, or parsers would make it blanks. */
const TEXT = /[&<>\r]/g;
const ATTRIBUTE = /[&<>"\r\n\t]/g;
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
};

export const escapeText = (text: string): string =>
  text.replace(TEXT, (character) => REFERENCES[character] ?? character);
export const escapeAttribute = (text: string): string =>
  text.replace(ATTRIBUTE, (character) => REFERENCES[character] ?? character);
