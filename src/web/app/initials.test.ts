import { expect, it } from 'vitest';
import { initialsOf } from './initials.ts';

it.each([
  ['Amina Okello', 'AO'],
  ['Dr. Amina Okello', 'AO'],
  ['Prof. Dr. Grace N. Namukasa', 'GN'],
  ['J. Mugisha', 'JM'],
  ['Joseph Mugisha Jr.', 'JM'],
  ['Dr. Okello', 'O'],
  ['Grace', 'G'],
  ['Dr.', 'D'],
  ['  ingrid  ssekandi ', 'IS'],
  ['محمد عبد الرحمن', 'ما'],
  ['', ''],
])('of %j: %j', (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});
