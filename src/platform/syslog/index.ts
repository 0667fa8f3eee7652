/** Syslog: messages (RFC 5424), octet counting (RFC 5425), over TLS, TCP and UDP, both ways. Knows nothing of what is in them. */
export { createFrameReader, frame, FramingError, type FramingFault } from './framing.ts';
export { type ParsedSyslog, parseSyslog, printSyslog, type SyslogHeader } from './message.ts';
export {
  type ReceivedMessage,
  receiveOverTls,
  receiveOverUdp,
  type StreamSource,
  type SyslogReceiver,
} from './receiver.ts';
export {
  DatagramTooLong,
  openSyslog,
  type SyslogConnection,
  type SyslogOptions,
  type SyslogTarget,
} from './sender.ts';
