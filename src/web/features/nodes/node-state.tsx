import type { ReactNode } from 'react';
import type { WireNode } from '../../../features/nodes/wire.ts';
import { plural } from '../../app/words.ts';
import { Tag, type Tone } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBan, IconClock, IconLock, IconPlugConnected } from '../../ui/icons.ts';
import { useNow } from '../../ui/now.ts';
import { CalendarDate } from '../../ui/text.tsx';
import { type Expiry, expiryOf } from './node-queries.ts';

const STATES: Readonly<Record<WireNode['state'], readonly [Tone, typeof IconBan]>> = {
  invited: ['plain', IconClock],
  active: ['accent', IconPlugConnected],
  suspended: ['amber', IconLock],
  revoked: ['quiet', IconBan],
};

export function NodeState({ node }: { readonly node: WireNode }): ReactNode {
  if (!node.intact)
    return (
      <Tag tone="red" icon={<IconAlertTriangle aria-hidden />}>
        changed outside
      </Tag>
    );
  const [tone, Icon] = STATES[node.state];
  return (
    <Tag tone={tone} icon={<Icon aria-hidden />}>
      {node.state}
    </Tag>
  );
}

export function NodeExpiry({ node }: { readonly node: WireNode }): ReactNode {
  const expiry = expiryOf(node, useNow());
  if (node.state === 'revoked' || !expiry) return <span className="soft">—</span>;
  return <ExpiryTag expiry={expiry} />;
}

export function ExpiryTag({ expiry }: { readonly expiry: Expiry }): ReactNode {
  if (expiry.state === 'valid') return <CalendarDate iso={expiry.notAfter.slice(0, 10)} />;
  return (
    <Tag tone={expiry.state === 'soon' && expiry.days > 7 ? 'amber' : 'red'} icon={<IconAlertTriangle aria-hidden />}>
      {expiry.state === 'expired'
        ? 'expired'
        : expiry.days === 0
          ? 'ends today'
          : `ends in ${plural(expiry.days, 'day', 'days')}`}
    </Tag>
  );
}
