/**
 * Privacy-preserving linkage: encode records under a key that two programmes share, compare encoded files without it, and trace
 * the pairs back at home. See README.md for what an encoded file still gives away.
 */
import type { Actor } from '../../kernel/principal.ts';
import type { Audit } from '../audit/index.ts';
import type { WalkedClient } from '../registry/index.ts';
import { type EncodedExport, exportEncoded } from './export-encoded.ts';
import type { EncodingProject } from './model.ts';

export { compareEncoded } from './compare.ts';
export { printEncoded, readEncoded } from './encoded-file.ts';
export { type EncodedExport, exportEncoded } from './export-encoded.ts';
export { printIds, printPairs, resolvePairs, type Side } from './pairs-file.ts';
export { newProject, parseProject, printProject } from './project.ts';

export interface EncodingsDeps {
  readonly audit: Pick<Audit, 'recordNow'>;
  readonly walkClients: (pageSize: number) => AsyncIterable<readonly WalkedClient[]>;
}

export interface Encodings {
  /**
   * Encodes every client of the registry. One audit event a client, so that the accounting of disclosures has it; each page is
   * in the log before it is encoded.
   */
  exportRegistry(
    actor: Actor,
    project: EncodingProject,
    options: { readonly signal: AbortSignal; readonly onProgress?: (clients: number) => void },
  ): Promise<EncodedExport>;
}

const PAGE = 500;

export function createEncodings({ audit, walkClients }: EncodingsDeps): Encodings {
  return {
    exportRegistry: (actor, project, { signal, onProgress }) =>
      exportEncoded(
        project,
        (async function* () {
          let clients = 0;
          for await (const page of walkClients(PAGE)) {
            signal.throwIfAborted();
            await audit.recordNow([
              {
                actor,
                event: 'client.encode',
                action: 'R',
                outcome: 'success',
                patients: page.map(({ id }) => `Patient/${id}`),
                detail: { project: project.name },
              },
            ]);
            yield page.map(({ id, record }) => ({ name: `Patient/${id}`, record }));
            clients += page.length;
            onProgress?.(clients);
          }
        })(),
      ),
  };
}
