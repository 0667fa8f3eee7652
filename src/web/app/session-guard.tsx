import { Button, Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { Mark } from '../ui/mark.tsx';
import { onSessionEnded } from './api.ts';
import { useIdle } from './idle.ts';
import { useLeave } from './leave.ts';
import { usePreferences } from './preferences.tsx';
import { sessionQuery, useSession } from './session.tsx';

const WARN_SECONDS = 120;
const TOUCH_EVERY_MS = 60_000;

/**
 * Watches over an unattended screen: covers it when nobody moves, warns before the session ends, and brings people back to
 * where they were. What they typed is kept.
 */
export function SessionGuard(): ReactNode {
  const session = useSession();
  const queries = useQueryClient();
  const { preferences } = usePreferences();
  const leave = useLeave();
  const leaving = useRef(false);
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
  const idle = useIdle({ onMove, onTick });

  const end = useCallback(() => {
    if (leaving.current) return;
    leaving.current = true;
    void leave('expired');
  }, [leave]);

  useEffect(() => onSessionEnded(end), [end]);
  const absoluteLeft = session.absoluteEndsAt
    ? Math.floor((new Date(session.absoluteEndsAt).getTime() - idle.nowMs) / 1000)
    : Number.POSITIVE_INFINITY;
  const idleLeft = session.idleTimeoutSeconds - idle.seconds;
  const left = Math.min(idleLeft, absoluteLeft);
  useEffect(() => {
    if (left <= 0) end();
  }, [left, end]);

  const warning = left <= WARN_SECONDS && left > 0;
  const stay = (): void => {
    idle.reset();
    touched.current = 1;
    onMove();
  };
  if (warning && idleLeft <= absoluteLeft) return <IdleWarning left={left} onStay={stay} onLeave={end} />;
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
  if (warning) {
    return (
      <div className="ending" role="status">
        You have to sign in again in {clock(left)}. What you typed is kept.
      </div>
    );
  }
  return null;
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

interface IdleWarningProps {
  readonly left: number;
  readonly onStay: () => void;
  readonly onLeave: () => void;
}

function IdleWarning({ left, onStay, onLeave }: IdleWarningProps): ReactNode {
  return (
    <Modal
      opened
      onClose={onStay}
      title="Still there?"
      size="sm"
      withCloseButton={false}
      overlayProps={{ backgroundOpacity: 1, color: 'var(--cs-ground)' }}
    >
      <p className="dialog-words">
        Nobody moved for a while. You will be signed out in <strong className="numbers">{clock(left)}</strong>. What you
        typed on this page is kept.
      </p>
      <div className="dialog-actions">
        <Button variant="default" onClick={onLeave}>
          Sign out now
        </Button>
        <Button data-autofocus onClick={onStay}>
          Stay signed in
        </Button>
      </div>
    </Modal>
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
