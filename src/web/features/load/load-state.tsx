import type { ReactNode } from 'react';
import type { LoadView } from '../../../features/load/wire.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBan, IconCheck, IconClock } from '../../ui/icons.ts';

export function shareOf(load: LoadView): number {
  return load.bytesTotal === 0 ? 0 : Math.min(1, load.bytesDone / load.bytesTotal);
}

export function LoadStateTag({ load }: { readonly load: LoadView }): ReactNode {
  switch (load.state) {
    case 'waiting':
      return (
        <Tag tone="plain" icon={<IconClock aria-hidden />}>
          waiting
        </Tag>
      );
    case 'running':
      return <Tag tone="accent">{load.dryRun ? 'dry run' : 'running'}</Tag>;
    case 'done':
      return (
        <Tag tone={load.dryRun ? 'plain' : 'accent'} icon={<IconCheck aria-hidden />}>
          {load.dryRun ? 'dry run done' : 'done'}
        </Tag>
      );
    case 'failed':
      return (
        <Tag tone="red" icon={<IconAlertTriangle aria-hidden />}>
          stopped
        </Tag>
      );
    case 'cancelled':
      return (
        <Tag tone="quiet" icon={<IconBan aria-hidden />}>
          cancelled
        </Tag>
      );
  }
}
