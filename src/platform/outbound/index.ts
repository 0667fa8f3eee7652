/** The one way out: HTTPS to addresses that others gave us. */
/** Checks addresses against private networks; throws RangeError where a network is written wrongly. */
export { addressRules } from './addresses.ts';
/** HTTPS with checked addresses, bounded times and sizes, no redirects, and TLS verification that cannot be switched off. */
export {
  createOutbound,
  type Outbound,
  type OutboundAnswer,
  type OutboundCode,
  type OutboundOptions,
  type OutboundRequest,
} from './outbound.ts';
