import type { ReactNode } from 'react';
import type { WireNode } from '../../../features/nodes/wire.ts';
import { plural } from '../../app/words.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBan, IconPlugConnected } from '../../ui/icons.ts';
import { useNow } from '../../ui/now.ts';
import { CalendarDate } from '../../ui/text.tsx';
import { expiryOf } from './node-queries.ts';

export function NodeState({ node }: { readonly node: WireNode }): ReactNode {
  if (node.state === 'revoked')
    return (
      <Tag tone="quiet" icon={<IconBan aria-hidden />}>
        revoked
      </Tag>
    );
  return (
    <Tag tone="accent" icon={<IconPlugConnected aria-hidden />}>
      active
    </Tag>
  );
}

export function NodeExpiry({ node }: { readonly node: WireNode }): ReactNode {
  const expiry = expiryOf(node, useNow());
  if (node.state === 'revoked' || !expiry) return <span className="soft">—</span>;
  if (expiry.state === 'valid') return <CalendarDate iso={expiry.notAfter.slice(0, 10)} />;
  return (
    <Tag tone={expiry.state === 'soon' ? 'amber' : 'red'} icon={<IconAlertTriangle aria-hidden />}>
      {expiry.state === 'expired'
        ? 'expired'
        : expiry.days === 0
          ? 'ends today'
          : `ends in ${plural(expiry.days, 'day', 'days')}`}
    </Tag>
  );
}
