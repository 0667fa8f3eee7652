import { beforeEach, expect, it } from 'vitest';
import { ownAddress } from './own-address.ts';
import { rememberPlace, takePlace } from './place.ts';

const OTHERS = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  '/\u0000/evil.example',
  '/ok\u007F',
  ' /clients',
  'https:evil.example',
  'https:/evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '/.//evil.example',
  '/x/..//evil.example',
  '/%2e//evil.example',
  'clients',
  '?next=//evil.example',
  '',
];
const OURS = [
  '/',
  '/clients',
  '/clients/abc?link=x#part',
  '/people?invite=true',
  '/audit?from=2026-01-01T00%3A00',
  '/x//y',
];

beforeEach(() => void takePlace());

it.each(OTHERS)('%j is not followed', (address) => {
  expect(ownAddress(address)).toBe('/');
  rememberPlace(address, 'expired');
  expect(takePlace()).toBe('/');
});

it.each(OURS)('%j is ours', (address) => {
  expect(ownAddress(address)).toBe(address);
  rememberPlace(address, 'locked');
  expect(takePlace()).toBe(address);
});
