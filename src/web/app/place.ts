import { ownAddress } from './own-address.ts';

/** Where somebody was when their session ended, so that signing in brings them back. In memory and for this tab only. */
const memory: { place: string | undefined; because: 'expired' | 'locked' | undefined } = {
  place: undefined,
  because: undefined,
};

export function rememberPlace(address: string, because: 'expired' | 'locked'): void {
  memory.place = address.startsWith('/sign-in') ? undefined : address;
  memory.because = because;
}

export function whySignedOut(): 'expired' | 'locked' | undefined {
  return memory.because;
}

/** The address to return to, once. Only our own paths are ever remembered. */
export function takePlace(): string {
  const place = memory.place ?? '/';
  memory.place = undefined;
  memory.because = undefined;
  return ownAddress(place);
}
