/** The directory of one installation (CARESEAL_HOME): who may use it at a time. */
export { assertNotOthers } from './others.ts';
export { makeDirectory } from './make-directory.ts';
export { type HomeLock, homeHolder, type LockInfo, type LockOptions, lockHome } from './lock.ts';
