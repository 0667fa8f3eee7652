import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Tabs } from '../../ui/tabs.tsx';
import './nodes.css';

const TABS = [
  ['/nodes', 'Systems'],
  ['/nodes/transactions', 'Transactions'],
  ['/nodes/trust', 'Trust'],
] as const;

/** The rooms of the nodes. Each has an address of its own. */
export function NodeTabs(): ReactNode {
  return (
    <Tabs label="Parts of the nodes">
      {TABS.map(([to, name]) => (
        <Link key={to} to={to} activeOptions={{ exact: true, includeSearch: false }}>
          {name}
        </Link>
      ))}
    </Tabs>
  );
}
