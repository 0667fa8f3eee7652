/** The directory of one installation (CARESEAL_HOME): who may use it at a time. */
export { type HomeLock, homeHolder, type LockInfo, type LockOptions, lockHome } from './lock.ts';
