import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { BansAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { Tag } from '../../ui/bits.tsx';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { banList, SECTION_PAGE } from './policy-queries.ts';

/** Networks and accounts that have to wait after wrong attempts, each with its end. */
export function BansSection(): ReactNode {
  const queries = useQueryClient();
  const [offset, setOffset] = useState(0);
  const [accountsOffset, setAccountsOffset] = useState(0);
  const bans = useQuery(banList(offset, accountsOffset));
  const lift = useMutation({
    mutationFn: (path: string) => api.act('DELETE', `/api/bans/${path}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['bans'] }),
  });
  const none = bans.data?.networksTotal === 0 && bans.data.accountsTotal === 0;
  return (
    <Section
      title="Held up at present"
      note="After wrong passwords or codes. Strangers cannot keep anybody out of a browser they have used before."
    >
      {bans.isPending && <ListSkeleton rows={2} />}
      {bans.isError && <FailureNotice error={bans.error} onRetry={() => void bans.refetch()} />}
      {lift.isError && <FailureNotice error={lift.error} focus />}
      {none && <p className="soft">Nobody, and no network.</p>}
      <ul className="sessions">
        {bans.data?.networks.map((one) => (
          <HeldNetwork key={one.id} one={one} onLift={() => lift.mutate(`networks/${one.id}`)} />
        ))}
      </ul>
      <Pager
        label="networks held up"
        offset={offset}
        page={SECTION_PAGE}
        total={bans.data?.networksTotal ?? 0}
        onMove={setOffset}
      />
      <ul className="sessions">
        {bans.data?.accounts.map((one) => (
          <HeldAccount key={one.userId} one={one} onLift={() => lift.mutate(`accounts/${one.userId}`)} />
        ))}
      </ul>
      <Pager
        label="accounts held up"
        offset={accountsOffset}
        page={SECTION_PAGE}
        total={bans.data?.accountsTotal ?? 0}
        onMove={setAccountsOffset}
      />
    </Section>
  );
}

interface HeldNetworkProps {
  readonly one: BansAnswer['networks'][number];
  readonly onLift: () => void;
}

function HeldNetwork({ one, onLift }: HeldNetworkProps): ReactNode {
  return (
    <li>
      <div>
        <strong>{one.network}</strong> <Tag tone="amber">network</Tag>
        <div className="soft small">
          {one.failures} wrong attempts, until <Moment iso={one.until} />
        </div>
      </div>
      <Button variant="default" size="xs" aria-label={`Lift it: ${one.network}`} onClick={onLift}>
        Lift it
      </Button>
    </li>
  );
}

interface HeldAccountProps {
  readonly one: BansAnswer['accounts'][number];
  readonly onLift: () => void;
}

function HeldAccount({ one, onLift }: HeldAccountProps): ReactNode {
  return (
    <li>
      <div>
        <strong>
          <Own>{one.name}</Own>
        </strong>{' '}
        <Tag tone="amber">{one.closed ? 'closed to unknown browsers' : 'must wait'}</Tag>
        <div className="soft small">
          {one.failures} wrong attempts
          {one.closed ? (
            '; a sign-in in a known browser, or lifting it, opens it again'
          ) : (
            <>
              , until <Moment iso={one.until} />
            </>
          )}
        </div>
      </div>
      <Button variant="default" size="xs" aria-label={`Lift it: ${one.name}`} onClick={onLift}>
        Lift it
      </Button>
    </li>
  );
}
