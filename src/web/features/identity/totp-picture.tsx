import type { ReactNode } from 'react';
import type { AccountAnswer } from '../../../features/identity/wire.ts';
import { Exact } from '../../ui/bits.tsx';

/** The QR code of an authenticator's secret, and the key to type. */
export function TotpPicture({ totp }: { readonly totp: AccountAnswer['totp'] }): ReactNode {
  return (
    <>
      {/* As an image, never as markup: the policy forbids putting text into the page as HTML. */}
      <div className="totp">
        <img
          src={`data:image/svg+xml,${encodeURIComponent(totp.qrSvg)}`}
          alt="QR code for the authenticator app; the same key stands beside it to be typed"
        />
        <ol>
          <li>
            Open an authenticator app: Aegis, FreeOTP, Google or Microsoft Authenticator, or your password manager.
          </li>
          <li>Scan the picture, or type this key:</li>
          <li>Type the six digits it shows.</li>
        </ol>
      </div>
      <Exact text={totp.key} what="the key" />
    </>
  );
}
