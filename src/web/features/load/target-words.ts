import type { Target } from './mapping.ts';

/** The choices of the mapping page: value of the select, words, and the target they stand for. */
export interface TargetChoice {
  readonly value: string;
  readonly label: string;
  readonly group: string;
  readonly target: Target;
}

const simple = (to: Extract<Target, { kind: 'simple' }>['to'], label: string, group: string): TargetChoice => ({
  value: `simple ${to}`,
  label,
  group,
  target: { kind: 'simple', to },
});
const many = (to: Extract<Target, { kind: 'many' }>['to'], label: string, group: string): TargetChoice => ({
  value: `many ${to}`,
  label,
  group,
  target: { kind: 'many', to },
});
const address = (to: Extract<Target, { kind: 'address' }>['to'], label: string): TargetChoice => ({
  value: `address ${to}`,
  label,
  group: 'Address',
  target: { kind: 'address', to },
});

export const TARGET_CHOICES: readonly TargetChoice[] = [
  { value: 'nothing', label: 'Leave out', group: 'Other', target: { kind: 'nothing' } },
  { value: 'id', label: 'Record number', group: 'Who', target: { kind: 'id' } },
  many('given', 'Given name', 'Who'),
  many('family', 'Family name', 'Who'),
  simple('name', 'Whole name', 'Who'),
  { value: 'birthDate', label: 'Birth date', group: 'Who', target: { kind: 'birthDate', format: 'auto' } },
  simple('gender', 'Gender', 'Who'),
  {
    value: 'identifier',
    label: 'Identifier (number of a card)',
    group: 'Who',
    target: { kind: 'identifier', system: '', rest: {} },
  },
  many('phone', 'Telephone', 'Contact'),
  many('email', 'E-mail', 'Contact'),
  { value: 'address-line', label: 'Street and house', group: 'Address', target: { kind: 'address-line' } },
  address('city', 'Town or village'),
  address('district', 'District'),
  address('state', 'State or region'),
  address('postalCode', 'Postal code'),
  address('country', 'Country'),
  address('text', 'Whole address'),
  simple('mothersMaidenName', 'Mother’s maiden name', 'More'),
  simple('prefix', 'Title', 'More'),
  simple('suffix', 'Suffix', 'More'),
  simple('maritalStatus', 'Marital status', 'More'),
  simple('language', 'Language', 'More'),
  simple('multipleBirth', 'Twin or multiple birth', 'More'),
  simple('deceased', 'Death date or yes/no', 'More'),
  simple('active', 'Active yes/no', 'More'),
];

export function choiceOf(target: Target): string {
  return 'to' in target ? `${target.kind} ${target.to}` : target.kind;
}

export const DATE_FORMATS: readonly { readonly value: string; readonly label: string }[] = [
  { value: 'auto', label: '1984-05-31 or 19840531' },
  { value: 'DD/MM/YYYY', label: '31/05/1984 (day first)' },
  { value: 'MM/DD/YYYY', label: '05/31/1984 (month first)' },
  { value: 'DD.MM.YYYY', label: '31.05.1984' },
  { value: 'DD-MM-YYYY', label: '31-05-1984' },
  { value: 'D/M/YYYY', label: '31/5/1984 (day first)' },
  { value: 'M/D/YYYY', label: '5/31/1984 (month first)' },
  { value: 'YYYYMMDD', label: '19840531' },
  { value: 'YYYY', label: '1984 (year only)' },
];
