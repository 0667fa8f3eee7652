import { Problem } from '../kernel/problem.ts';
import type { FormPairs } from './form.ts';
import type { FhirProblemCode } from './issue.ts';
import type { FhirFormat } from './resource.ts';

/** Which format a request brings and which it wants (R4 §3.1.0.1.11). */
export const MEDIA_TYPES: Readonly<Record<FhirFormat, string>> = {
  json: 'application/fhir+json; charset=utf-8',
  xml: 'application/fhir+xml; charset=utf-8',
};

/** Also the short forms of `_format` and what older clients write. In order of preference. */
const NAMES: ReadonlyMap<string, FhirFormat> = new Map([
  ['application/fhir+json', 'json'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/json+fhir', 'json'],
  ['json', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/xml+fhir', 'xml'],
  ['xml', 'xml'],
]);

export interface Negotiated {
  readonly format: FhirFormat;
  readonly pretty: boolean;
}

/** The answer's format: `_format` wins over Accept. Throws Problem 406 when neither JSON nor XML will do. */
export function negotiate(query: FormPairs, accept: string | undefined): Negotiated {
  const pretty = query.some(([name, value]) => name === '_pretty' && value === 'true');
  const asked = query.find(([name]) => name === '_format')?.[1];
  // An unescaped plus of `application/fhir+json` arrives as a blank.
  const format = asked === undefined || asked === '' ? fromAccept(accept) : fromName(asked.replaceAll(' ', '+'));
  if (format) return { format, pretty };
  throw new Problem<FhirProblemCode>('not-acceptable', 'fhir-not-acceptable', 'Formats are FHIR R4 JSON and XML.', {
    fhirCode: 'not-supported',
  });
}

/** The format of a body by its Content-Type. Throws Problem 415. */
export function bodyFormat(contentType: string | undefined): FhirFormat {
  const format = contentType === undefined ? undefined : fromName(contentType);
  const name = contentType?.split(';')[0]?.trim().toLowerCase();
  if (format && name?.includes('/')) return format;
  throw new Problem<FhirProblemCode>(
    'unsupported-media-type',
    'fhir-media-type',
    'Send application/fhir+json or application/fhir+xml, in UTF-8, of FHIR version 4.0.',
    { fhirCode: 'not-supported' },
  );
}

function fromName(text: string): FhirFormat | undefined {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  return parameters.every(isServed) ? NAMES.get(name) : undefined;
}

/** R4 only, UTF-8 only; other parameters (q, boundary …) say nothing about that. */
function isServed(parameter: string): boolean {
  const [name, value = ''] = parameter.split('=').map((part) => part.trim().replace(/^"|"$/g, ''));
  if (name === 'charset') return value === 'utf-8' || value === 'utf8';
  if (name === 'fhirversion') return value === '4.0' || value === '4.0.1';
  return true;
}

/** The format of the highest quality; JSON where both are as good. */
function fromAccept(accept: string | undefined): FhirFormat | undefined {
  if (accept === undefined || accept.trim() === '' || accept === '*/*') return 'json';
  let best: { readonly format: FhirFormat; readonly quality: number } | undefined;
  for (const range of accept.split(',')) {
    const quality = Number(/;\s*q\s*=\s*([0-9.]+)/i.exec(range)?.[1] ?? '1');
    const name = range.split(';')[0]?.trim();
    const format = name === '*/*' || name === 'application/*' ? 'json' : fromName(range);
    if (!format || !(quality > 0)) continue;
    if (!best || quality > best.quality || (quality === best.quality && format === 'json')) best = { format, quality };
  }
  return best?.format;
}
