import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import { type ReactNode, Suspense, lazy, useEffect, useState } from 'react';
import { BottomBar } from './bottom-bar.tsx';
import { useKeys } from './keys.ts';
import { closedPlace } from './navigation.ts';
import { openDraftsOf } from './drafts.ts';
import { ClosedPlace } from './page-failure.tsx';
import { PageWait } from './page-wait.tsx';
import { Rail } from './rail.tsx';
import { SessionContext, isSignedIn, sessionQuery, useSession } from './session.tsx';
import { SessionGuard } from './session-guard.tsx';
import { StandingWarnings } from './standing-warnings.tsx';
import { StepUpGuard } from './step-up.tsx';
import { NoticeGate } from './notice-gate.tsx';
import { TopBar } from './top-bar.tsx';
import { rememberVisit } from './visits.ts';
import './frame.css';

const EmergencyBar = lazy(async () => ({
  default: (await import('../features/identity/emergency-bar.tsx')).EmergencyBar,
}));
const SearchEverything = lazy(async () => ({ default: (await import('./search-everything.tsx')).SearchEverything }));

/** What stands around every page of a signed-in person. When the session ends, everything inside is gone at once. */
export function Frame(): ReactNode {
  const { data } = useQuery(sessionQuery);
  return isSignedIn(data) ? (
    <SessionContext value={data}>
      <FrameInside />
    </SessionContext>
  ) : null;
}

function FrameInside(): ReactNode {
  const session = useSession();
  openDraftsOf(session.user.id);
  const { pathname } = useLocation();
  const closed = closedPlace(pathname, session.permissions);
  useEffect(() => rememberVisit(session.user.id, pathname), [session.user.id, pathname]);
  const [searching, setSearching] = useState(false);
  const search = (): void => setSearching(true);
  useKeys({ '/': search, 'mod+k': search });
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <Rail />
      <div className="frame-column">
        <TopBar onSearch={search} />
        {session.emergency && (
          <Suspense fallback={null}>
            <EmergencyBar endsAt={session.emergency.endsAt} />
          </Suspense>
        )}
        <main id="content" tabIndex={-1}>
          <StandingWarnings warnings={session.warnings ?? []} />
          <Suspense fallback={<PageWait />}>{closed ? <ClosedPlace name={closed.name} /> : <Outlet />}</Suspense>
        </main>
      </div>
      <BottomBar />
      <SessionGuard />
      <StepUpGuard />
      <NoticeGate />
      {searching && (
        <Suspense fallback={null}>
          <SearchEverything onClose={() => setSearching(false)} />
        </Suspense>
      )}
    </div>
  );
}
