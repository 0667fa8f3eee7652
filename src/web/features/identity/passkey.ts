import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser';
import {
  PasskeyAssertion,
  PasskeyOptionsAnswer,
  PasskeyRegistration,
} from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';

/** Whether this browser, at this address, can have passkeys. */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && window.isSecureContext;
}

/** Asks the server what to sign, and the person's device to sign it. The library comes when it is first needed. */
export async function signWithPasskey(optionsPath: string, body?: object): Promise<PasskeyAssertion> {
  const { options } = await api.send('POST', optionsPath, PasskeyOptionsAnswer, body, { signingIn: true });
  const { startAuthentication } = await import('@simplewebauthn/browser');
  // Made by the same library on the server; the wire checks that it is an object.
  const optionsJSON = options as unknown as PublicKeyCredentialRequestOptionsJSON;
  return PasskeyAssertion.parse(await startAuthentication({ optionsJSON }));
}

/** Makes a passkey on the person's device. */
export async function makePasskey(): Promise<PasskeyRegistration> {
  const { options } = await api.send('POST', '/api/factors/passkey/options', PasskeyOptionsAnswer);
  const { startRegistration } = await import('@simplewebauthn/browser');
  const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON;
  return PasskeyRegistration.parse(await startRegistration({ optionsJSON }));
}

/** The person closed the browser's dialogue, or let it run out: nothing to explain. */
export function wasCancelled(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError');
}
