import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { entriesFor } from './navigation.ts';
import { useSession } from './session.tsx';
import { Mark } from '../ui/mark.tsx';

/** The left rail: only what this person may do. */
export function Rail(): ReactNode {
  const entries = entriesFor(useSession().permissions);
  const part = (which: 'work' | 'running'): ReactNode => (
    <ul>
      {entries
        .filter((entry) => entry.part === which)
        .map((entry) => (
          <li key={entry.to}>
            <Link
              to={entry.to}
              className="rail-link"
              activeOptions={{ exact: entry.to === '/' }}
              activeProps={{ 'data-active': true }}
              title={entry.name}
            >
              <entry.icon size={19} stroke={1.7} aria-hidden />
              <span>{entry.name}</span>
            </Link>
          </li>
        ))}
    </ul>
  );
  return (
    <nav className="rail" aria-label="Main">
      <Link to="/" className="rail-mark" aria-label="Careseal, home">
        <Mark size={26} />
        <span>Careseal</span>
      </Link>
      {part('work')}
      {entries.some((entry) => entry.part === 'running') && <hr />}
      {part('running')}
    </nav>
  );
}
