import { z } from 'zod';
import { type NodeId, parseId } from '../../kernel/ids.ts';
import type { Certificates } from './certificates.ts';
import type { Domains } from './domains.ts';
import type { Enrolment } from './enrolment.ts';
import { nodeUnknown } from './errors.ts';
import type { ForeignAuthorities } from './foreign.ts';
import type { NodeKeys } from './node-keys.ts';
import type { WhichNode } from './node-reader.ts';
import type { NodeParts } from './parts.ts';
import type { NodeService } from './service.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

/** What the route declarations of this feature share. */
export interface RouteDeps {
  readonly parts: NodeParts;
  readonly service: NodeService;
  readonly certificates: Certificates;
  readonly enrolment: Enrolment;
  readonly foreign: ForeignAuthorities;
  readonly keys: NodeKeys;
  readonly domains: Domains;
  readonly tokenEndpoint: TokenEndpoint;
  readonly tokenUrl: string;
}

export const NOTHING = z.object({});
export const BY_ID = z.object({ id: z.string() });
export const SMALL = { bodyBytesMax: 4_096, perMinute: 20 } as const;
/** A certificate or key set and words about it. */
export const A_FILE = { bodyBytesMax: 98_304, perMinute: 20 } as const;

/** Throws `node-unknown` for what is no id: an address that was typed wrongly. */
export function whichNode(id: string): WhichNode {
  const parsed = parseId<NodeId>(id);
  if (parsed === undefined) throw nodeUnknown();
  return { id: parsed };
}
