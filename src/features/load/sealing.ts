import { EVERYBODYS } from './owner.ts';
import { sealedAtRest } from '../../crypto/index.ts';
import type { KeyRing, SealContext } from '../../store/index.ts';

/** Where this feature's sealed columns belong: bound into the seal, so that rows cannot be exchanged. */
export const uploadContext = (uploadId: string): SealContext => ({
  table: 'load.upload',
  type: 'detail',
  id: uploadId,
  version: 0,
});
export const loadContext = (loadId: string): SealContext => ({
  table: 'load.load',
  type: 'detail',
  id: loadId,
  version: 0,
});
/** Those of before there were organisations' own are sealed to their name alone, and stay so. */
export const mappingContext = (organisationId: string, name: string): SealContext => ({
  table: 'load.mapping',
  type: 'detail',
  id: organisationId === EVERYBODYS ? name : `${organisationId}/${name}`,
  version: 0,
});
export const noticeContext = (loadId: string, kind: string, seq: number): SealContext => ({
  table: 'load.notice',
  type: kind,
  id: loadId,
  version: seq,
});

export function sealJson(keyRing: KeyRing, value: unknown, context: SealContext): Uint8Array {
  return keyRing.seal(Buffer.from(JSON.stringify(value)), context);
}

/** Opens what `sealJson` wrote. The seal vouches for the content, so its shape is taken as it was written. */
export function openJson<T>(keyRing: KeyRing, sealed: Uint8Array, context: SealContext): T {
  return JSON.parse(keyRing.open(sealedAtRest(sealed), context).toString()) as T;
}
