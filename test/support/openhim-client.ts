/** OpenHIM's own library for mediators, which knows nothing of this product. It trusts any certificate here: the core is a test's. */
import library from 'openhim-mediator-utils';

interface Options {
  readonly apiURL: string;
  readonly username: string;
  readonly password: string;
  readonly urn: string;
}

export interface OpenHimClient {
  register(document: object): Promise<void>;
  heartbeat(): Promise<void>;
}

export function openHimClient(options: Options): OpenHimClient {
  const all = { ...options, trustSelfSigned: true } as const;
  const called = (call: (told: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
  return {
    register: (document) => called((told) => library.registerMediator(all, document, told)),
    // A heartbeat that asks for the mediator's settings too.
    heartbeat: () => called((told) => library.fetchConfig(all, told)),
  };
}
