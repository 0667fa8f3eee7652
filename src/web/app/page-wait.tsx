import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { ListSkeleton } from '../ui/list-table.tsx';

/** While a page's code or first answer is on its way. */
export function PageWait(): ReactNode {
  return (
    <div className="page" data-width="wide">
      <h1 className="visually-hidden">Loading</h1>
      <Skeleton height={20} width={180} radius="sm" mb={10} />
      <Skeleton height={12} width={320} radius="sm" mb={28} />
      <ListSkeleton />
    </div>
  );
}
