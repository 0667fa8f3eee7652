/** What the declarations of FHIR routes share. */
import { z } from 'zod';
import {
  bodyFormat,
  parseBody,
  type SystemInteraction,
  type TypeInteraction,
  type ValidPatient,
} from '../../fhir/index.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import { type Exchange, type FhirRequest, openExchange } from './fhir-exchange.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import { assertPlainQuery } from './fhir-reads.ts';

/** Operations by the name they are called by. */
export type OperationName = '$match' | '$ihe-pix' | '$merge' | '$process-message';

/** A route and what it does in FHIR's terms: the capability statement is made of these. */
export interface FhirRoute {
  readonly interactions: readonly (TypeInteraction | SystemInteraction | OperationName)[];
  readonly conditional?: boolean;
  readonly route: RouteDeclaration;
}

/** A route for another resource type, which another feature serves. */
export interface ServedRoute {
  readonly type: string;
  readonly interaction: TypeInteraction;
  readonly route: RouteDeclaration;
}

export const doors = ['users', 'nodes'] as const;
export const none = z.object({});
export const byId = z.object({ id: z.string() });
export const byActor = z.object({ actor: z.string() });
export const byVersion = z.object({ id: z.string(), version: z.string() });

/** Systems register a thousand people a second; people get far by less. The limit is against accidents, per caller. */
const PER_MINUTE = 600_000;
export const NO_BODY = { bodyBytesMax: 0, perMinute: PER_MINUTE } as const;
export const ONE_PATIENT = { bodyBytesMax: 1_048_576, perMinute: PER_MINUTE } as const;
export const A_MATCH = { bodyBytesMax: 262_144, perMinute: PER_MINUTE } as const;
/** The query of a search travels in its paging links, which must stay within what a request line may hold. */
export const A_FORM = { bodyBytesMax: 4_096, perMinute: PER_MINUTE } as const;
export const A_BUNDLE = { bodyBytesMax: 10_485_760, perMinute: 6_000 } as const;

/** The part of a RouteRequest with `query: 'raw'` that FHIR handlers read. */
export interface Incoming extends FhirRequest {
  readonly body?: Uint8Array | undefined;
}

export function exchangeOf(request: Incoming): Exchange {
  return openExchange(request);
}

/** For interactions whose query has nothing but the answer's format. */
export function plainExchange(request: Incoming): Exchange {
  const exchange = openExchange(request);
  assertPlainQuery(exchange);
  return exchange;
}

export function bodyOf(request: Incoming): unknown {
  return parseBody(request.body ?? new Uint8Array(0), bodyFormat(request.header('content-type')));
}

export function patientOf(request: Incoming): ValidPatient {
  const value = bodyOf(request);
  assertRegistrable(value);
  return value;
}
