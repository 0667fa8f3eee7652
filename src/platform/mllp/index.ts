/** MLLP over TLS: framing, bounds, who is at the other end. What the messages mean is a feature's matter. */
export { createFrameReader, type FrameEvent, type FrameFault, type FrameReader, framed } from './frames.ts';
export { createMllpServer, type MllpLimits, type MllpSender, type MllpServer } from './server.ts';
