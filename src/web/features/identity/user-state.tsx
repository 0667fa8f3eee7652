import type { ReactNode } from 'react';
import type { UserEntry } from '../../../features/identity/wire.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBan, IconCheck, IconClock } from '../../ui/icons.ts';

export function UserState({ user }: { readonly user: UserEntry }): ReactNode {
  if (user.state === 'invited')
    return (
      <Tag tone="plain" icon={<IconClock aria-hidden />}>
        invited
      </Tag>
    );
  if (user.state === 'disabled')
    return (
      <Tag tone="quiet" icon={<IconBan aria-hidden />}>
        disabled
      </Tag>
    );
  if (user.state === 'retired')
    return (
      <Tag tone="quiet" icon={<IconBan aria-hidden />}>
        retired
      </Tag>
    );
  if (user.state === 'changed')
    return (
      <Tag tone="red" icon={<IconAlertTriangle aria-hidden />}>
        changed past Careseal
      </Tag>
    );
  if (!user.secondFactor)
    return (
      <Tag tone="amber" icon={<IconAlertTriangle aria-hidden />}>
        no second factor
      </Tag>
    );
  return (
    <Tag tone="accent" icon={<IconCheck aria-hidden />}>
      active
    </Tag>
  );
}
