import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface LookUpProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined, label: string | undefined) => void;
  /** What the server is asked for these letters: all for none. */
  readonly search: (letters: string) => {
    readonly queryKey: readonly unknown[];
    readonly queryFn: (asked: { readonly signal: AbortSignal }) => Promise<readonly Choice[]>;
  };
  readonly nothing: string;
  /** Chosen by something else: its name, which may be known only later. */
  readonly first?: Choice;
  readonly error?: string | undefined;
  readonly placeholder?: string;
  /** First in its dialog. */
  readonly focused?: boolean;
}

const OFFERED_MAX = 30;

/** One of very many, found by a few letters; the server looks, so ten thousand are no matter. */
export function LookUp(props: LookUpProps): ReactNode {
  const { label, value, onChange, search, nothing, first, error, placeholder = 'Type a name', focused } = props;
  const [text, setText] = useState(first?.label ?? '');
  const [settled] = useDebouncedValue(text.trim(), 120);
  const [known, setKnown] = useState(first);
  const found = useQuery(search(settled === known?.label ? '' : settled));
  // Nothing is offered that the next answer could push away from under the arrow key: another would be chosen.
  const looking = found.isPending || settled !== text.trim();
  const offered = looking ? [] : (found.data ?? []).slice(0, OFFERED_MAX);
  // The field shows the name of what is chosen also while others are looked for.
  const data = [known, first].reduce<readonly Choice[]>(
    (rest, one) => (one === undefined || rest.some(({ value: id }) => id === one.value) ? rest : [one, ...rest]),
    offered,
  );
  return (
    <Select
      data-autofocus={focused}
      label={label}
      error={error}
      searchable
      clearable
      placeholder={placeholder}
      nothingFoundMessage={looking ? 'Looking …' : nothing}
      data={[...data]}
      filter={({ options }) =>
        options.filter((one) => offered.some((each) => 'value' in one && each.value === one.value))
      }
      onSearchChange={setText}
      value={value ?? null}
      onChange={(next) => {
        const chosen = data.find((one) => one.value === next);
        setKnown(chosen);
        onChange(next ?? undefined, chosen?.label);
      }}
    />
  );
}
