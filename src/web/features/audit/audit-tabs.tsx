import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSession } from '../../app/session.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { openAlerts } from './alert-queries.ts';
import './audit.css';

const TABS = [
  ['/audit', 'Log'],
  ['/audit/activity', 'Activity'],
  ['/audit/report', 'User actions'],
  ['/audit/alerts', 'Alerts'],
  ['/audit/forwarding', 'Forwarding'],
  ['/audit/received', 'Received'],
] as const;
/** About everybody's acts: not for auditors of one organisation. */
const CENTRAL: readonly string[] = ['/audit/forwarding', '/audit/received'];

/** The rooms of the audit log. Each has an address of its own. */
export function AuditTabs(): ReactNode {
  const alerts = useQuery(openAlerts);
  const { central } = useSession().user.organisation;
  const waiting = alerts.data?.unacknowledged ?? 0;
  return (
    <Tabs label="Parts of the audit log">
      {TABS.filter(([to]) => central || !CENTRAL.includes(to)).map(([to, name]) => (
        <Link key={to} to={to} activeOptions={{ exact: true, includeSearch: false }}>
          {name}
          {to === '/audit/alerts' && waiting > 0 && (
            <span className="tab-count">
              {waiting}
              <span className="visually-hidden"> new</span>
            </span>
          )}
        </Link>
      ))}
    </Tabs>
  );
}
