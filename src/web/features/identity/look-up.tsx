import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface LookUpProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
  /** A hook: what the server finds for these letters; all for none. */
  readonly useFound: (letters: string) => { readonly pending: boolean; readonly choices: readonly Choice[] };
  readonly nothing: string;
  /** Chosen from the beginning. */
  readonly first?: Choice;
  readonly error?: string | undefined;
}

const OFFERED_MAX = 30;

/** One of very many, found by a few letters; the server looks, so ten thousand are no matter. */
export function LookUp({ label, value, onChange, useFound, nothing, first, error }: LookUpProps): ReactNode {
  const [text, setText] = useState(first?.label ?? '');
  const [settled] = useDebouncedValue(text.trim(), 120);
  const [known, setKnown] = useState(first);
  const { pending, choices } = useFound(settled === known?.label ? '' : settled);
  // Nothing is offered that the next answer could push away from under the arrow key: another would be chosen.
  const looking = pending || settled !== text.trim();
  const offered = looking ? [] : choices.slice(0, OFFERED_MAX);
  // The field shows the name of what is chosen also while others are looked for.
  const data = known === undefined || offered.some((one) => one.value === known.value) ? offered : [known, ...offered];
  return (
    <Select
      label={label}
      error={error}
      searchable
      clearable
      placeholder="Type a name"
      nothingFoundMessage={looking ? 'Looking …' : nothing}
      data={data}
      filter={({ options }) =>
        options.filter((one) => offered.some((each) => 'value' in one && each.value === one.value))
      }
      onSearchChange={setText}
      value={value ?? null}
      onChange={(next) => {
        setKnown(data.find((one) => one.value === next));
        onChange(next ?? undefined);
      }}
    />
  );
}
