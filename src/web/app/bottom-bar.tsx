import { Link, useLocation } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { IconMenu2 } from '../ui/icons.ts';
import { type NavigationEntry, bottomBar, entriesFor } from './navigation.ts';
import { useSession } from './session.tsx';

const MorePlaces = lazy(async () => ({ default: (await import('./more-places.tsx')).MorePlaces }));

/** The rail of a phone. */
export function BottomBar(): ReactNode {
  const { shown, more } = bottomBar(entriesFor(useSession().permissions));
  const [open, setOpen] = useState(false);
  // Fetched when it is wanted first; then it stays, so that it can close as it opened.
  const [opened, setOpened] = useState(false);
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
          onClick={() => {
            setOpened(true);
            setOpen(true);
          }}
        >
          <IconMenu2 size={22} stroke={1.7} aria-hidden />
          <span>More</span>
        </button>
      )}
      {opened && (
        <Suspense fallback={null}>
          <MorePlaces entries={more} open={open} onClose={() => setOpen(false)} />
        </Suspense>
      )}
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
