import { Button } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { endSession, endsByItselfSeconds } from '../../app/ending.ts';
import { Notice } from '../../ui/notice.tsx';
import { Gate } from './gate.tsx';

const AGAIN_MS = 5_000;

/** Somebody signed out, and the server could not be told: said plainly, and tried again while the page is open. */
export function UnendedGate(): ReactNode {
  const [trying, setTrying] = useState(false);
  const again = async (): Promise<void> => {
    setTrying(true);
    await endSession();
    setTrying(false);
  };
  useEffect(() => {
    const once = (): void => void endSession();
    const timer = setInterval(once, AGAIN_MS);
    window.addEventListener('online', once);
    return () => {
      clearInterval(timer);
      window.removeEventListener('online', once);
    };
  }, []);
  return (
    <Gate title="You are not signed out yet" sentence="The server could not be told. Your session is still open there.">
      <div className="gate-body">
        <Notice tone="red" live title="Whoever opens Careseal in this browser could go on as you.">
          <p>This page has let go of everything it showed.</p>
        </Notice>
        <div>
          <p>Stay until this page says that you are signed out. It tries again every few seconds.</p>
          <p>
            If you cannot wait: sign in on another device and end this session under <em>My account and sessions</em>.
          </p>
          <p>
            Otherwise it ends by itself after {Math.ceil(endsByItselfSeconds() / 60)} minutes without use, and Careseal
            ends it first when it is next opened in this browser.
          </p>
        </div>
        <Button fullWidth loading={trying} onClick={() => void again()}>
          Try again
        </Button>
      </div>
    </Gate>
  );
}
