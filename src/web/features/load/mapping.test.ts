import { describe, expect, it } from 'vitest';
import { MapDocument } from '../../../features/load/wire.ts';
import { documentOf, mappingOf, withTarget } from './mapping.ts';

const columns = ['rec_id', 'given', 'middle', 'surname', 'dob', 'sex', 'nin', 'street', 'house', 'town'];
const document: MapDocument = {
  id: 'rec_id',
  given: ['given', 'middle'],
  family: 'surname',
  gender: { column: 'sex', values: { w: 'female' } },
  birthDate: { column: 'dob', format: ['YYYYMMDD', 'YYYY'], unknown: ['99999999'] },
  identifier: [{ system: 'urn:ug:nin', column: 'nin', use: 'official' }],
  address: { line: ['street', 'house'], city: 'town', country: { value: 'UG' }, use: 'home' },
  language: { value: 'sw' },
  csv: { delimiter: ';' },
};

describe('a mapping on the page', () => {
  it('goes there and back without loss, details that the page cannot show included', () => {
    expect(documentOf(mappingOf(document, columns))).toEqual(document);
    expect(MapDocument.safeParse(documentOf(mappingOf(document, columns))).success).toBe(true);
  });

  it('leaves out columns that the file does not have', () => {
    const mapping = mappingOf(document, ['rec_id', 'surname']);
    expect(documentOf(mapping)).toEqual({
      id: 'rec_id',
      family: 'surname',
      address: { country: { value: 'UG' }, use: 'home' },
      language: { value: 'sw' },
      csv: { delimiter: ';' },
    });
  });

  it('frees the earlier column when another becomes the only one of its kind', () => {
    const mapping = withTarget(mappingOf(document, columns), 'nin', { kind: 'id' });
    expect(mapping.targets.get('rec_id')).toEqual({ kind: 'nothing' });
    expect(documentOf(mapping).id).toBe('nin');
    expect(documentOf(mapping).identifier).toBeUndefined();
  });

  it('adds to what may be many', () => {
    const mapping = withTarget(mappingOf(document, columns), 'town', { kind: 'many', to: 'family' });
    expect(documentOf(mapping).family).toEqual(['surname', 'town']);
    expect(documentOf(mapping).address).not.toHaveProperty('city');
  });

  it('keeps the words for unknown dates when the format changes', () => {
    const mapping = withTarget(mappingOf(document, columns), 'dob', { kind: 'birthDate', format: 'DD/MM/YYYY' });
    expect(documentOf(mapping).birthDate).toEqual({ column: 'dob', format: 'DD/MM/YYYY', unknown: ['99999999'] });
  });
});
