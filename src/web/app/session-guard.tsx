import { useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { Mark } from '../ui/mark.tsx';
import { onSessionEnded } from './api.ts';
import { losesText, useTypingWatch } from './drafts.ts';
import { useIdle } from './idle.ts';
import type { IdleWarningProps } from './idle-warning.tsx';
import { useLeave } from './leave.ts';
import { usePreferences } from './preferences.tsx';
import { sessionQuery, useSession } from './session.tsx';
import { minutes } from './words.ts';

const loadWarning = () => import('./idle-warning.tsx');
const IdleWarning = lazy(async () => ({ default: (await loadWarning()).IdleWarning }));
/** Fetched once the first screen is done, and not when nobody is there to see that it could not be. */
const FETCH_WARNING_MS = 5_000;

const WARN_SECONDS = 120;
/** Of a short idle time not more than this part is spent with the warning. */
const WARN_PART = 0.5;
const TOUCH_EVERY_MS = 60_000;

/**
 * Watches over an unattended screen: covers it when nobody moves, warns before the session ends, and brings people back to
 * where they were. Drafts are kept, and nothing else is promised.
 */
export function SessionGuard(): ReactNode {
  const session = useSession();
  const queries = useQueryClient();
  const { preferences } = usePreferences();
  const touched = useRef(0);
  const [covered, setCovered] = useState(false);

  /** Typing is activity too; the server hears of it at most once a minute. */
  const onMove = (): void => {
    const nowMs = Date.now();
    if (touched.current === 0) touched.current = nowMs;
    if (nowMs - touched.current < TOUCH_EVERY_MS) return;
    touched.current = nowMs;
    void queries.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => undefined);
  };
  const onTick = (seconds: number): void => {
    if (preferences.privacyAfterSeconds > 0 && seconds >= preferences.privacyAfterSeconds) setCovered(true);
  };
  const asking = useRef(false);
  const idle = useIdle({ onMove, onTick, isHeld: () => asking.current });

  const go = useLeaveOnce();
  const end = useCallback(() => go('expired'), [go]);

  useWarningAtHand();
  useTypingWatch();
  useEffect(() => onSessionEnded(end), [end]);
  const absoluteLeft = session.absoluteEndsAt
    ? Math.floor((new Date(session.absoluteEndsAt).getTime() - idle.nowMs) / 1000)
    : Number.POSITIVE_INFINITY;
  const idleLeft = session.idleTimeoutSeconds - idle.seconds;
  const left = Math.min(idleLeft, absoluteLeft);
  useEffect(() => {
    if (left <= 0) end();
  }, [left, end]);

  const warnIdleAt = Math.min(WARN_SECONDS, session.idleTimeoutSeconds * WARN_PART);
  const warnsOfIdle = idleLeft <= absoluteLeft && left <= warnIdleAt && left > 0;
  const warnsOfEnd = absoluteLeft < idleLeft && left <= WARN_SECONDS && left > 0;
  useEffect(() => {
    asking.current = warnsOfIdle;
  }, [warnsOfIdle]);
  const stay = (): void => {
    asking.current = false;
    setCovered(false);
    idle.reset();
    touched.current = 1;
    onMove();
  };
  if (warnsOfIdle) return <Warned left={left} onStay={stay} onLeave={() => go(undefined)} />;
  if (covered) {
    return (
      <PrivacyScreen
        onShow={() => {
          setCovered(false);
          idle.reset();
        }}
      />
    );
  }
  return warnsOfEnd ? <Ending left={left} /> : null;
}

function useLeaveOnce(): (because: 'expired' | undefined) => void {
  const leave = useLeave();
  const leaving = useRef(false);
  return useCallback(
    (because) => {
      if (leaving.current) return;
      leaving.current = true;
      void leave(because);
    },
    [leave],
  );
}

function Warned(props: IdleWarningProps): ReactNode {
  return (
    <Suspense fallback={null}>
      <IdleWarning {...props} />
    </Suspense>
  );
}

function useWarningAtHand(): void {
  useEffect(() => {
    const timer = setTimeout(() => void loadWarning().catch(() => undefined), FETCH_WARNING_MS);
    return () => clearTimeout(timer);
  }, []);
}

/** The end of the session in any case, however busy somebody is. */
function Ending({ left }: { readonly left: number }): ReactNode {
  return (
    <div className="ending" role="status">
      You have to sign in again in {minutes(left)}.{' '}
      {losesText() ? 'Not all that you typed on this page is kept: save it first.' : 'What you typed is kept.'}
    </div>
  );
}

/** Covers what is on the screen; any key or click brings it back. It does not end the session. */
function PrivacyScreen({ onShow }: { readonly onShow: () => void }): ReactNode {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
    button.current?.focus();
    return () => before?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="privacy" role="dialog" aria-modal="true" aria-label="Hidden, because nobody moved">
      <button
        type="button"
        ref={button}
        onClick={onShow}
        onKeyDown={(event) => {
          event.preventDefault();
          onShow();
        }}
      >
        <Mark size={44} />
        <strong>Hidden, because nobody moved</strong>
        <span>Press any key or click to go on.</span>
      </button>
    </div>
  );
}
