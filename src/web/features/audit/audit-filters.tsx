import { Button, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Tag } from '../../ui/bits.tsx';
import { IconX } from '../../ui/icons.ts';
import { type AuditFilters, auditNames } from './audit-queries.ts';
import { actors } from './report-queries.ts';

export type AuditSearch = {
  from?: string | undefined;
  to?: string | undefined;
  event?: string | undefined;
  actor?: string | undefined;
  client?: string | undefined;
  address?: string | undefined;
  kind?: 'user' | 'node' | 'operator' | 'system' | 'anonymous' | undefined;
  outcome?: 'success' | 'failure' | 'minor-failure' | 'serious-failure' | undefined;
};

export interface AuditFilterBarProps {
  readonly filters: AuditSearch & AuditFilters;
  readonly onChange: (filters: AuditSearch) => void;
}

const FAMILIES: Readonly<Record<string, string>> = {
  'client.*': 'Everything about clients',
  'sign-in.*': 'Every sign-in',
  'review.*': 'Every review',
  'node.*': 'Everything about nodes',
  'user.*': 'Everything about people',
  'load.*': 'Every load',
};

const OUTCOMES = [
  { value: 'success', label: 'done' },
  { value: 'failure', label: 'refused or failed' },
  { value: 'minor-failure', label: 'refused' },
  { value: 'serious-failure', label: 'failed' },
] as const;

const KINDS = [
  { value: 'user', label: 'people' },
  { value: 'node', label: 'systems' },
  { value: 'operator', label: 'the command line' },
  { value: 'system', label: 'Careseal itself' },
  { value: 'anonymous', label: 'nobody signed in' },
] as const;

type Actors = readonly { readonly id: string; readonly name: string; readonly kind: string }[];

function whoData(all: Actors) {
  const of = (kind: string) =>
    all.filter((one) => one.kind === kind).map(({ id, name }) => ({ value: id, label: name }));
  return [
    { group: 'People', items: of('user') },
    { group: 'Systems', items: of('node') },
    { group: 'Command line', items: of('operator') },
  ];
}

const isListed = (all: Actors | undefined, id: string): boolean => all?.some((one) => one.id === id) === true;

/** Filters live in the address, so that a view can be kept and shared among auditors. */
export function AuditFilterBar({ filters, onChange }: AuditFilterBarProps): ReactNode {
  const names = useQuery(auditNames);
  const people = useQuery(actors);
  const set = (part: AuditSearch): void => {
    const next = { ...filters, ...part };
    onChange(Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined && value !== '')));
  };
  const events = names.data?.names ?? [];
  const families = Object.entries(FAMILIES).filter(([family]) =>
    events.some((one) => one.event.startsWith(family.slice(0, -1))),
  );
  const any = Object.values(filters).some((value) => value !== undefined);
  return (
    <div className="filters" role="search" aria-label="Filter the log">
      <TextInput
        type="date"
        label="From"
        size="xs"
        value={filters.from ?? ''}
        onChange={(event) => set({ from: event.currentTarget.value || undefined })}
      />
      <TextInput
        type="date"
        label="To"
        size="xs"
        value={filters.to ?? ''}
        onChange={(event) => set({ to: event.currentTarget.value || undefined })}
      />
      <Select
        label="What"
        size="xs"
        className="filter-event"
        placeholder="everything"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Show every kind' }}
        nothingFoundMessage="No such event"
        data={[
          { group: 'Families', items: families.map(([value, label]) => ({ value, label })) },
          { group: 'Events', items: events.map((one) => ({ value: one.event, label: one.title })) },
        ]}
        value={filters.event ?? null}
        onChange={(event) => set({ event: event ?? undefined })}
      />
      <Select
        label="Outcome"
        size="xs"
        className="filter-outcome"
        placeholder="any"
        clearable
        clearButtonProps={{ 'aria-label': 'Show every outcome' }}
        data={[...OUTCOMES]}
        value={filters.outcome ?? null}
        onChange={(value) => set({ outcome: OUTCOMES.find((one) => one.value === value)?.value })}
      />
      <WhoFilters filters={filters} actors={people.data?.actors ?? []} set={set} />
      {filters.actor !== undefined && !isListed(people.data?.actors, filters.actor) && (
        <Chosen label="one actor only" onRemove={() => set({ actor: undefined })} />
      )}
      {filters.client !== undefined && <Chosen label="one client only" onRemove={() => set({ client: undefined })} />}
      {any && (
        <Button variant="subtle" size="xs" onClick={() => onChange({})}>
          Show everything
        </Button>
      )}
    </div>
  );
}

interface WhoFiltersProps {
  readonly filters: AuditSearch;
  readonly actors: Actors;
  readonly set: (part: AuditSearch) => void;
}

/** By person, by kind of actor, by network address. */
function WhoFilters({ filters, actors: all, set }: WhoFiltersProps): ReactNode {
  return (
    <>
      <Select
        label="Who"
        size="xs"
        className="filter-event"
        placeholder="everybody"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Show everybody' }}
        nothingFoundMessage="Nobody of this name has done anything"
        data={whoData(all)}
        value={filters.actor ?? null}
        onChange={(actor) => set({ actor: actor ?? undefined })}
      />
      <Select
        label="Kind"
        size="xs"
        className="filter-outcome"
        placeholder="any"
        clearable
        clearButtonProps={{ 'aria-label': 'Show every kind of actor' }}
        data={[...KINDS]}
        value={filters.kind ?? null}
        onChange={(value) => set({ kind: KINDS.find((one) => one.value === value)?.value })}
      />
      <TextInput
        key={filters.address ?? ''}
        label="Network address"
        size="xs"
        className="filter-outcome"
        placeholder="10.20.30.40"
        defaultValue={filters.address ?? ''}
        onBlur={(event) => set({ address: event.currentTarget.value.trim() || undefined })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') set({ address: event.currentTarget.value.trim() || undefined });
        }}
      />
    </>
  );
}

function Chosen({ label, onRemove }: { readonly label: string; readonly onRemove: () => void }): ReactNode {
  return (
    <Tag tone="accent">
      {label}
      <button type="button" className="tag-remove" aria-label={`Remove the filter: ${label}`} onClick={onRemove}>
        <IconX aria-hidden />
      </button>
    </Tag>
  );
}
