import { expect, test } from 'vitest';
import { DICOM, EVENTS, eventNames, unknownEvents } from './events.ts';

test('every name is one that a leaf can hold, with a title and known codes', () => {
  for (const [name, shape] of Object.entries(EVENTS)) {
    expect(name).toMatch(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/);
    expect(shape.title.length).toBeGreaterThan(3);
    if (shape.type !== 'rest') {
      expect(DICOM).toHaveProperty(shape.type);
      if ('subtype' in shape && !('subtypeSystem' in shape)) expect(DICOM).toHaveProperty(shape.subtype);
    }
  }
});

test('a family is all its names, and an unknown name is none', () => {
  expect(eventNames('client.read')).toEqual(['client.read']);
  expect(eventNames('review.*')).toEqual(expect.arrayContaining(['review.decide', 'review.undo']));
  expect(eventNames('review.*').every((name) => name.startsWith('review.'))).toBe(true);
  for (const nothing of ['review', 'clie.*', 'toString', '*', 'client.reed']) expect(eventNames(nothing)).toEqual([]);
});

test('routes with names in no table are told, each once', () => {
  const event = (name: string) => ({ audit: { kind: 'event', event: name } }) as const;
  expect(unknownEvents([event('client.read'), event('x.y'), event('x.y'), { audit: { kind: 'none' } }])).toEqual([
    'x.y',
  ]);
});
