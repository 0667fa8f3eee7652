import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Permission } from '../../../kernel/access.ts';
import { useMay } from '../../app/session.tsx';
import { Tabs } from '../../ui/tabs.tsx';

const PLACES: readonly { readonly to: string; readonly name: string; readonly needs: Permission }[] = [
  { to: '/people', name: 'People', needs: 'user.read' },
  { to: '/people/organisations', name: 'Organisations', needs: 'user.read' },
  { to: '/people/roles', name: 'Roles', needs: 'user.read' },
  { to: '/people/access-review', name: 'Access review', needs: 'user.manage' },
  { to: '/people/emergencies', name: 'Emergencies', needs: 'user.manage' },
  { to: '/people/providers', name: 'Identity providers', needs: 'settings.manage' },
];

/** What belongs to the administration of people. */
export function PeoplePlaces(): ReactNode {
  const may = useMay();
  return (
    <Tabs label="Administration of people">
      {PLACES.filter(({ needs }) => may(needs)).map(({ to, name }) => (
        <Link key={to} to={to} activeOptions={{ exact: true, includeSearch: false }}>
          {name}
        </Link>
      ))}
    </Tabs>
  );
}
