import { NativeSelect } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ReviewListReply } from '../../../features/registry/wire.ts';
import type { ReviewView } from './review-queries.ts';

export interface QueueFiltersProps {
  readonly view: ReviewView;
  readonly counts: ReviewListReply['counts'];
  readonly onChange: (view: ReviewView) => void;
}

const WHOSE = ['mine', 'nobodys', 'waiting-for-second'] as const;

/** Whose pairs, and in which order. */
export function QueueFilters({ view, counts, onChange }: QueueFiltersProps): ReactNode {
  return (
    <>
      <NativeSelect
        aria-label="Whose pairs"
        value={view.whose ?? 'all'}
        onChange={({ currentTarget }) => onChange({ ...view, whose: WHOSE.find((one) => one === currentTarget.value) })}
        data={[
          { value: 'all', label: 'Everybody’s' },
          { value: 'mine', label: `Mine (${counts.mine.toLocaleString()})` },
          { value: 'nobodys', label: 'Nobody’s yet' },
          { value: 'waiting-for-second', label: `To agree to (${counts.waitingForSecond.toLocaleString()})` },
        ]}
      />
      <NativeSelect
        aria-label="Order"
        value={view.order ?? 'oldest'}
        onChange={({ currentTarget }) =>
          onChange({ ...view, order: currentTarget.value === 'likeliest' ? 'likeliest' : undefined })
        }
        data={[
          { value: 'oldest', label: 'Oldest first' },
          { value: 'likeliest', label: 'Most alike first' },
        ]}
      />
    </>
  );
}
