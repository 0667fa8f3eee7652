/**
 * HL7 v2 messages (ER7): segments, fields, repetitions, components, subcomponents, with the delimiters that the message itself
 * declares. Small and bounded on purpose: it reads what strangers send. Pure.
 */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

export const STANDARD: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

export interface Segment {
  readonly name: string;
  /** As in the message, delimiters and escapes untouched; `fields[0]` is the name, `fields[n]` is field n. */
  readonly fields: readonly string[];
}

export interface Hl7Message {
  readonly delimiters: Delimiters;
  readonly segments: readonly Segment[];
}

export type Hl7Fault =
  | 'no-msh' // does not begin with an MSH segment
  | 'bad-delimiters'
  | 'charset' // not what MSH-18 says, or a charset that is not taken
  | 'too-many-segments'
  | 'bad-segment'
  | 'several-messages'; // a second MSH; several come as a batch

const SEGMENTS_MAX = 2_000;
const FIELDS_MAX = 500;

/** Reads a message out of the bytes of a frame, in the charset that its MSH-18 names. */
export function parseHl7(bytes: Uint8Array): Hl7Message | Hl7Fault {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 2_048)).toString('latin1');
  if (!start.startsWith('MSH')) return 'no-msh';
  const delimiters = delimitersOf(start);
  if (delimiters === undefined) return 'bad-delimiters';
  const header = start.split(/[\r\n]/, 1)[0] ?? '';
  const charset = header.split(delimiters.field)[17]?.split(delimiters.repetition)[0] ?? '';
  const text = decode(bytes, charset);
  if (text === undefined) return 'charset';
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '');
  if (lines.length > SEGMENTS_MAX) return 'too-many-segments';
  const segments: Segment[] = [];
  for (const line of lines) {
    const segment = segmentOf(line, delimiters);
    if (segment === undefined) return 'bad-segment';
    segments.push(segment);
  }
  if (segments.some(({ name }, index) => index > 0 && name === 'MSH')) return 'several-messages';
  return { delimiters, segments };
}

/** MSH-1 and MSH-2, or those of FHS and BHS: five different characters, none of them a letter, a digit or a blank. */
export function delimitersOf(start: string): Delimiters | undefined {
  const [field = '', component = '', repetition = '', escape = '', subcomponent = ''] = start.slice(3, 8);
  const all = [field, component, repetition, escape, subcomponent];
  if (new Set(all).size !== 5 || all.some((one) => !/^[\x21-\x7e]$/.test(one) || /[A-Za-z0-9]/.test(one)))
    return undefined;
  // 2.7 adds a truncation character.
  const after = start.charAt(8) === '#' ? start.charAt(9) : start.charAt(8);
  return after === field ? { field, component, repetition, escape, subcomponent } : undefined;
}

/** Names of HL7 table 0211 that are taken. Nothing declared: ASCII, for which UTF-8 stands in. */
const CHARSETS: Readonly<Record<string, string>> = {
  '': 'utf-8',
  ASCII: 'utf-8',
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  '8859/1': 'iso-8859-1',
  '8859/2': 'iso-8859-2',
  '8859/5': 'iso-8859-5',
  '8859/6': 'iso-8859-6',
  '8859/15': 'iso-8859-15',
};

function decode(bytes: Uint8Array, charset: string): string | undefined {
  const encoding = CHARSETS[charset.trim().toUpperCase()];
  if (encoding === undefined) return undefined;
  if (charset.trim().toUpperCase() === 'ASCII' && bytes.some((byte) => byte > 0x7f)) return undefined;
  try {
    const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: false }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A segment; FHS and BHS count their fields as MSH does. */
export function segmentLike(line: string, delimiters: Delimiters): Segment | undefined {
  const segment = segmentOf(line, delimiters);
  if (segment?.name !== 'FHS' && segment?.name !== 'BHS') return segment;
  return { name: segment.name, fields: [segment.name, delimiters.field, ...segment.fields.slice(1)] };
}

function segmentOf(line: string, { field }: Delimiters): Segment | undefined {
  const fields = line.split(field);
  const [name = ''] = fields;
  if (!/^[A-Z][A-Z0-9]{2}$/.test(name) || fields.length > FIELDS_MAX) return undefined;
  // MSH-1 is the field separator itself, so that MSH-2 is what follows it.
  return { name, fields: name === 'MSH' ? [name, field, ...fields.slice(1)] : fields };
}

export function segmentsNamed(message: Hl7Message, name: string): readonly Segment[] {
  return message.segments.filter((segment) => segment.name === name);
}

/** One value with its escapes read; `""` (delete this) is a value of its own: HL7 2.5.1 §2.5.3. */
export class Hl7Field {
  private readonly text: string;
  private readonly delimiters: Delimiters;

  constructor(text: string, delimiters: Delimiters) {
    this.text = text;
    this.delimiters = delimiters;
  }

  get isEmpty(): boolean {
    return this.text === '' || this.text === '""';
  }

  repetitions(): readonly Hl7Field[] {
    if (this.text === '') return [];
    return this.text.split(this.delimiters.repetition).map((part) => new Hl7Field(part, this.delimiters));
  }

  /** Component n, from 1; an empty one where there is none. */
  component(n: number): Hl7Field {
    return new Hl7Field(this.text.split(this.delimiters.component)[n - 1] ?? '', this.delimiters);
  }

  subcomponent(n: number): string {
    return unescaped(this.text.split(this.delimiters.subcomponent)[n - 1] ?? '', this.delimiters);
  }

  /** The first subcomponent of the first component, trimmed; undefined when empty or deleted. */
  value(): string | undefined {
    const first = this.text.split(this.delimiters.component)[0] ?? '';
    const text = unescaped(first.split(this.delimiters.subcomponent)[0] ?? '', this.delimiters).trim();
    return text === '' || text === '""' ? undefined : text;
  }
}

/** Field n of a segment, from 1. */
export function fieldOf(
  { delimiters }: Pick<Hl7Message, 'delimiters'>,
  segment: Segment | undefined,
  n: number,
): Hl7Field {
  return new Hl7Field(segment?.fields[n] ?? '', delimiters);
}

function unescaped(text: string, delimiters: Delimiters): string {
  const { escape } = delimiters;
  if (!text.includes(escape)) return text;
  const parts = text.split(escape);
  // An escape character without its partner is text.
  if (parts.length % 2 === 0) return text;
  return parts.map((part, index) => (index % 2 === 0 ? part : escaped(part, delimiters))).join('');
}

function escaped(code: string, { field, component, repetition, escape, subcomponent }: Delimiters): string {
  const known: Readonly<Record<string, string>> = {
    F: field,
    S: component,
    R: repetition,
    E: escape,
    T: subcomponent,
    '.br': ' ',
  };
  if (Object.hasOwn(known, code)) return known[code] ?? '';
  const hex = /^X((?:[0-9A-Fa-f]{2})+)$/.exec(code)?.[1];
  if (hex === undefined) return '';
  // Bytes of the message's charset; control characters among them have no place in a value.
  return Buffer.from(hex, 'hex')
    .toString('latin1')
    .replaceAll(/[\x00-\x1f\x7f]/g, ' ');
}

/** Escapes a value for a message with the standard delimiters. */
export function escapedText(text: string): string {
  return text.replaceAll(/[|^~\\&\r\n\x0b\x1c]/g, (character) => ESCAPES[character] ?? ' ');
}
const ESCAPES: Readonly<Record<string, string>> = {
  '|': '\\F\\',
  '^': '\\S\\',
  '~': '\\R\\',
  '\\': '\\E\\',
  '&': '\\T\\',
};
