import { describe, expect, it } from 'vitest';
import type { MatchGrade } from '../matching/index.ts';
import { certainOnly } from './fhir-match.ts';
import type { RankedMatch } from './service.ts';

const ranked = (...grades: MatchGrade[]): RankedMatch[] =>
  // Only the grade is looked at.
  grades.map((grade, index) => ({ grade, goldenId: String(index) }) as unknown as RankedMatch);
const shown = (grades: MatchGrade[], cut = false): string[] =>
  certainOnly({ ranked: ranked(...grades), cut }).map(({ goldenId }) => goldenId);

describe('onlyCertainMatches', () => {
  it('shows one certain person', () => expect(shown(['certain', 'probable', 'possible'])).toEqual(['0']));
  it('shows nobody where none is certain', () => expect(shown(['probable'])).toEqual([]));
  it('shows nobody where two are', () => expect(shown(['certain', 'certain'])).toEqual([]));
  it('shows nobody where not all were compared', () => expect(shown(['certain'], true)).toEqual([]));
});
