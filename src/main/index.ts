/** The composition root: builds everything, starts it and stops it. */
export { type CommandOptions, type CommandServices, withServices } from './command.ts';
export { repairEvidence } from './repair-evidence.ts';
export { keyRotation, type RotationOptions } from './key-rotation.ts';
/** Made-up people and a node for trying an integration. */
export { createSandbox } from './sandbox.ts';
export type { Services } from './services.ts';
export { type RunningServer, startServer, type StartOptions, withStartOptions } from './start.ts';
