/**
 * Which acknowledgements a sender wants (HL7 2.5.1 §2.9). Original mode, where MSH-15 and MSH-16 are empty: the application's alone.
 * Enhanced mode: an accept acknowledgement says that the message is safe here, an application acknowledgement what came of it. Nothing
 * is kept for later here, so what was refused and will be told nowhere else is told by CE or CR: its sender must not take it for safe.
 * Pure.
 */
import { fieldOf, type Hl7Message } from './message.ts';
import type { AckCode } from './reply.ts';

export type AcceptCode = 'CA' | 'CE' | 'CR';
/** HL7 table 0155: always, never, errors and rejects only, successful only. */
type Condition = 'AL' | 'NE' | 'ER' | 'SU';

export interface Acknowledging {
  readonly accept?: AcceptCode;
  readonly application: boolean;
}

export function acknowledging(
  message: Hl7Message,
  came: { readonly ack: AckCode; readonly isQuery: boolean },
): Acknowledging {
  const [accept, application] = [conditionAt(message, 15), conditionAt(message, 16)];
  if (accept === undefined && application === undefined) return { application: true };
  const isGood = came.ack === 'AA';
  // An answer to a query is what it is for; AR means that it was not processed at all.
  const wantsApplication = came.isQuery || (came.ack !== 'AR' && fits(application ?? 'NE', isGood));
  const code: AcceptCode = came.ack === 'AR' ? 'CR' : isGood || wantsApplication ? 'CA' : 'CE';
  const wantsAccept = fits(accept ?? 'NE', code === 'CA');
  // A refusal that fits neither wish is told all the same where there is anybody to tell: silence would pass for success.
  const untold = !isGood && !wantsApplication && !wantsAccept && accept !== 'NE';
  return { ...(wantsAccept || untold ? { accept: code } : {}), application: wantsApplication };
}

function conditionAt(message: Hl7Message, field: number): Condition | undefined {
  const value = fieldOf(message, message.segments[0], field).value();
  return value === 'AL' || value === 'NE' || value === 'ER' || value === 'SU' ? value : undefined;
}

function fits(condition: Condition, isGood: boolean): boolean {
  if (condition === 'AL') return true;
  return condition === 'NE' ? false : (condition === 'SU') === isGood;
}
