import { useEffect } from 'react';
import { api } from '../../app/api.ts';

/** Copying from a client's page and printing it are acts, and stand in the log like any other. */
export function useHandled(clientId: string): void {
  useEffect(() => {
    const tell = (act: 'copied' | 'printed') => (): void => {
      // keepalive is not needed: neither copying nor printing leaves the page. A failure is told by the next request.
      void api.act('POST', `/api/clients/${encodeURIComponent(clientId)}/${act}`).catch(() => undefined);
    };
    const copied = tell('copied');
    const printed = tell('printed');
    document.addEventListener('copy', copied);
    window.addEventListener('beforeprint', printed);
    return () => {
      document.removeEventListener('copy', copied);
      window.removeEventListener('beforeprint', printed);
    };
  }, [clientId]);
}
