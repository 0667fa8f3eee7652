import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Permission } from '../../../kernel/access.ts';
import { useMay } from '../../app/session.tsx';
import './rights.css';

const PLACES: readonly { readonly to: string; readonly name: string; readonly needs: Permission }[] = [
  { to: '/people', name: 'People', needs: 'user.read' },
  { to: '/people/organisations', name: 'Organisations', needs: 'user.read' },
  { to: '/people/roles', name: 'Roles', needs: 'user.read' },
  { to: '/people/access-review', name: 'Access review', needs: 'user.manage' },
  { to: '/people/emergencies', name: 'Emergencies', needs: 'user.manage' },
  { to: '/people/providers', name: 'Identity providers', needs: 'settings.manage' },
];

/** What belongs to the administration of people, above each of its pages. */
export function PeoplePlaces(): ReactNode {
  const may = useMay();
  return (
    <nav aria-label="Administration of people">
      <ul className="places">
        {PLACES.filter(({ needs }) => may(needs)).map(({ to, name }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: true, includeSearch: false }} activeProps={{ 'data-active': true }}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
