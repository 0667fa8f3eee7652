import { Button, Select, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { ReceivedFilters } from './received-queries.ts';
import { KINDS, OUTCOMES } from './received-words.tsx';

export interface ReceivedFilterBarProps {
  readonly filters: ReceivedFilters;
  readonly onChange: (filters: ReceivedFilters) => void;
}

/** Days and kinds stand in the address; what a sender wrote, and identifiers of persons, do not. */
export function ReceivedFilterBar({ filters, onChange }: ReceivedFilterBarProps): ReactNode {
  const set = (part: ReceivedFilters): void => {
    const next = { ...filters, ...part };
    onChange(Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined && value !== '')));
  };
  return (
    <div className="filters" role="search" aria-label="Filter the received events">
      <TextInput
        type="date"
        label="From"
        size="xs"
        value={filters.from ?? ''}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label="To"
        size="xs"
        value={filters.to ?? ''}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
      <Select
        label="What"
        size="xs"
        placeholder="everything"
        clearable
        clearButtonProps={{ 'aria-label': 'Show every kind' }}
        data={[...KINDS]}
        value={filters.kind ?? null}
        onChange={(kind) => set({ kind: kind ?? undefined })}
      />
      <Select
        label="Outcome"
        size="xs"
        placeholder="any"
        clearable
        clearButtonProps={{ 'aria-label': 'Show every outcome' }}
        data={[...OUTCOMES]}
        value={filters.outcome ?? null}
        onChange={(outcome) => set({ outcome: OUTCOMES.find(({ value }) => value === outcome)?.value })}
      />
      <WordsField
        label="Source"
        placeholder="as the sender calls itself"
        value={filters.source ?? ''}
        onWord={(source) => set({ source })}
      />
      <WordsField
        label="Person"
        placeholder="identifier, as the sender writes it"
        value={filters.person ?? ''}
        onWord={(person) => set({ person })}
      />
      {Object.values(filters).some((value) => value !== undefined && value !== '') && (
        <Button variant="subtle" size="xs" onClick={() => onChange({})}>
          Show everything
        </Button>
      )}
    </div>
  );
}

interface WordsFieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onWord: (word: string) => void;
}

/** Found by the whole of it: asked once it is complete, by Enter or by going on. */
function WordsField({ label, placeholder, value, onWord }: WordsFieldProps): ReactNode {
  const [draft, setDraft] = useState(value);
  const [shown, setShown] = useState(value);
  // Somebody else changed it: "show everything", or a source chosen beside an event.
  if (shown !== value) {
    setShown(value);
    setDraft(value);
  }
  const done = (): void => {
    if (draft.trim() !== value) onWord(draft.trim());
  };
  return (
    <TextInput
      label={label}
      size="xs"
      maxLength={200}
      placeholder={placeholder}
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done();
      }}
    />
  );
}
