import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import type { AlertView } from '../../../features/alerts/wire.ts';
import { api } from '../../app/api.ts';
import { useMay, useSession } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconCheck, IconCircleCheck, IconUser } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { Ago, Moment, Own } from '../../ui/text.tsx';
import { alertList } from './alert-queries.ts';
import { AlertRules } from './alert-rules.tsx';
import { AuditTabs } from './audit-tabs.tsx';

/** What a person should look at; taken on, and closed with words. */
export function AlertsPage(): ReactNode {
  const { state = 'open' } = useSearch({ from: '/frame/audit/alerts' });
  const navigate = useNavigate();
  const list = useInfiniteQuery(alertList(state));
  const alerts = useMemo(() => list.data?.pages.flatMap((page) => page.alerts) ?? [], [list.data]);
  const [rules, setRules] = useState(false);
  const { central } = useSession().user.organisation;
  return (
    <Page
      title="Alerts"
      sentence="What somebody should look at, found in the log. Each one stays until it is closed with a few words."
      action={
        central && (
          <Button variant="default" onClick={() => setRules(true)}>
            Rules and mails
          </Button>
        )
      }
    >
      <AuditTabs />
      <SegmentedControl
        mb="md"
        aria-label="Which alerts"
        value={state}
        onChange={(value) =>
          void navigate({ to: '/audit/alerts', search: value === 'closed' ? { state: 'closed' } : {}, replace: true })
        }
        data={[
          { value: 'open', label: 'Open' },
          { value: 'closed', label: 'Closed' },
        ]}
      />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={5} />}
      {list.isSuccess && alerts.length === 0 && <NoAlerts state={state} />}
      <ul className="alerts" aria-label={state === 'open' ? 'Open alerts' : 'Closed alerts'}>
        {alerts.map((alert) => (
          <AlertCard key={alert.id} alert={alert} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Older ones
        </Button>
      )}
      {rules && <AlertRules onClose={() => setRules(false)} />}
    </Page>
  );
}

function NoAlerts({ state }: { readonly state: 'open' | 'closed' }): ReactNode {
  return (
    <Empty
      icon={<IconCircleCheck size={24} />}
      title={state === 'open' ? 'Nothing waits for anybody' : 'No alert was closed yet'}
    >
      <p>
        {state === 'open'
          ? 'The rules are looked at for everything that happens. “Rules and mails” says which there are.'
          : 'Alerts that somebody has closed are kept here, with what they wrote.'}
      </p>
    </Empty>
  );
}

function AlertCard({ alert }: { readonly alert: AlertView }): ReactNode {
  const queries = useQueryClient();
  const [closing, setClosing] = useState(false);
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ['alerts'] });
  const take = useMutation({
    mutationFn: () => api.act('POST', `/api/alerts/${alert.id}/acknowledge`, {}),
    onSuccess: again,
  });
  const { acknowledged, closed } = alert;
  // The central administration answers for alerts; those of one organisation see the ones about its people.
  const { user } = useSession();
  const { central } = user.organisation;
  const own = alert.actor?.kind === 'user' && alert.actor.id === user.id;
  return (
    <li className="alert" data-open={closed === undefined}>
      <div className="alert-head">
        <h2>
          <IconAlertTriangle size={18} aria-hidden /> {alert.title}
        </h2>
        <span className="soft">
          <Ago iso={alert.lastAt} />
        </span>
      </div>
      <p>
        {alert.what}
        {alert.count > 1 && <span className="soft"> · seen {plural(alert.count, 'time', 'times')}</span>}
      </p>
      <AlertSubject alert={alert} />
      <AlertHistory alert={alert} />
      {take.isError && <FailureNotice error={take.error} focus />}
      {central && closed === undefined && own && (
        <p className="soft">This alert is about you. Somebody else has to look into it and close it.</p>
      )}
      {central && closed === undefined && !own && (
        <div className="row">
          {acknowledged === undefined && (
            <Button variant="default" size="xs" loading={take.isPending} onClick={() => take.mutate()}>
              I look into it
            </Button>
          )}
          <Button variant="default" size="xs" onClick={() => setClosing(true)}>
            Close with a note
          </Button>
        </div>
      )}
      {closing && (
        <ReasonDialog
          title="Close this alert"
          confirm="Close it"
          draftKey={`alert-${alert.id}`}
          placeholder="What it was, and what was done about it"
          onClose={() => setClosing(false)}
          act={async (note) => {
            await api.act('POST', `/api/alerts/${alert.id}/close`, { note });
            await again();
          }}
        >
          <p>It stays among the closed ones. If the same happens again, a new alert is raised.</p>
        </ReasonDialog>
      )}
    </li>
  );
}

function AlertHistory({ alert }: { readonly alert: AlertView }): ReactNode {
  const { acknowledged, closed } = alert;
  return (
    <>
      {acknowledged !== undefined && closed === undefined && (
        <p>
          <Tag tone="accent" icon={<IconUser aria-hidden />}>
            taken on
          </Tag>{' '}
          by <Own>{acknowledged.by.name}</Own>, <Moment iso={acknowledged.at} />
        </p>
      )}
      {closed !== undefined && (
        <p>
          <Tag tone="quiet" icon={<IconCheck aria-hidden />}>
            closed
          </Tag>{' '}
          by <Own>{closed.by.name}</Own>, <Moment iso={closed.at} />: <Own>{closed.note}</Own>
        </p>
      )}
    </>
  );
}

function AlertSubject({ alert }: { readonly alert: AlertView }): ReactNode {
  const may = useMay();
  const { actor, client, address, eventId } = alert;
  return (
    <p className="alert-links">
      {actor !== undefined && (
        <Link to="/audit" search={{ actor: actor.id }}>
          Everything by <Own>{actor.name}</Own>
        </Link>
      )}
      {address !== undefined && (
        <Link to="/audit" search={{ address }}>
          From {address}
        </Link>
      )}
      {client !== undefined && may('client.read') && (
        <Link to="/clients/$id" params={{ id: client }}>
          The client
        </Link>
      )}
      {eventId !== undefined && (
        <Link to="/audit" search={{ open: eventId }}>
          The event
        </Link>
      )}
    </p>
  );
}
