import { Drawer } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { IconMenu2 } from '../ui/icons.ts';
import { type NavigationEntry, bottomBar, entriesFor } from './navigation.ts';
import { useSession } from './session.tsx';

/** The rail of a phone. */
export function BottomBar(): ReactNode {
  const { shown, more } = bottomBar(entriesFor(useSession().permissions));
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const inMore = more.some((entry) => pathname.startsWith(entry.to));
  return (
    <nav className="bottom" aria-label="Main">
      {shown.map((entry) => (
        <BottomLink key={entry.to} entry={entry} />
      ))}
      {more.length > 0 && (
        <button
          type="button"
          className="bottom-link"
          data-active={inMore || undefined}
          aria-haspopup="dialog"
          onClick={() => setOpen(true)}
        >
          <IconMenu2 size={22} stroke={1.7} aria-hidden />
          <span>More</span>
        </button>
      )}
      <Drawer opened={open} onClose={() => setOpen(false)} position="bottom" size="auto" title="More">
        <ul className="more-list">
          {more.map((entry) => (
            <li key={entry.to}>
              <Link to={entry.to} onClick={() => setOpen(false)}>
                <entry.icon size={22} stroke={1.7} aria-hidden />
                <span>
                  {entry.name}
                  <small>{entry.about}</small>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      </Drawer>
    </nav>
  );
}

function BottomLink({ entry }: { readonly entry: NavigationEntry }): ReactNode {
  return (
    <Link
      to={entry.to}
      className="bottom-link"
      activeOptions={{ exact: entry.to === '/' }}
      activeProps={{ 'data-active': true }}
    >
      <entry.icon size={22} stroke={1.7} aria-hidden />
      <span>{entry.name}</span>
    </Link>
  );
}
