import { config } from 'zod';

/**
 * Our content security policy has no 'unsafe-eval'; zod would try `new Function` once and have it reported as a violation.
 * Imported before anything else, because schemas look at this setting when they are made.
 */
config({ jitless: true });
