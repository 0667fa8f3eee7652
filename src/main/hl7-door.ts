import type { Connections, LiveTls } from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { createMllpServer } from '../platform/mllp/index.ts';
import type { Services } from './services.ts';

export interface Hl7Door {
  readonly port: number;
  close(drainMs: number): Promise<void>;
}

/** Opens the port for HL7 v2 with the nodes' TLS; undefined where it is switched off, as it is by default. */
export async function openHl7Door(
  services: Services,
  { tls, connections, log }: { readonly tls: LiveTls; readonly connections: Connections; readonly log: Logger },
): Promise<Hl7Door | undefined> {
  const { config, exchange } = services;
  if (config.hl7Port === undefined) return undefined;
  const server = createMllpServer({
    ...exchange.hl7,
    tls,
    connections,
    onFailure: (error) => log.error('An HL7 v2 connection failed', { error }),
  });
  const { port } = await server.listen({ host: config.bindAddress, port: config.hl7Port });
  return {
    port,
    async close(drainMs) {
      await server.close(drainMs);
      await exchange.hl7.stop();
    },
  };
}
