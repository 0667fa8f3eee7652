/** Careseal as an OpenHIM mediator: see README.md. */
export { answeringOpenHim } from './envelope.ts';
export { createMediator, type Mediator, type MediatorOptions } from './registration.ts';
