import { z } from 'zod';
import { createOutbound } from '../../platform/outbound/index.ts';
import { DatagramTooLong, openSyslog, type SyslogOptions } from '../../platform/syslog/index.ts';
import { type PackedSequencedEvent, unpackEvent } from '../audit/index.ts';
import { createDicomFrames } from './dicom-frames.ts';
import { AnswerRefused } from './failures.ts';
import type { Target } from './target-store.ts';

/** An event on its way. */
export type Outgoing = PackedSequencedEvent;

/** A way to one target. Whatever is given to `send` counts as delivered only when `finish` says so. */
export interface Carrier {
  /** Answers the events that can never be delivered this way. */
  send(events: readonly Outgoing[]): Promise<readonly Outgoing[]>;
  finish(): Promise<'confirmed' | 'unconfirmed'>;
  destroy(): void;
}

export interface CarrierDeps {
  /** Host name of this installation: HOSTNAME in syslog. */
  readonly site: string;
  /** The client certificate shown to receivers, read anew for each connection. */
  readonly identity: () => Promise<{ readonly certificate: string; readonly key: string } | undefined>;
  readonly timeouts?: Partial<SyslogOptions>;
}

const TIMEOUTS: SyslogOptions = { connectTimeoutMs: 10_000, stallTimeoutMs: 30_000, finishTimeoutMs: 10_000 };

/** Connects, or is ready to. Rejects as the network does. */
export async function openCarrier(target: Target, deps: CarrierDeps): Promise<Carrier> {
  return target.protocol === 'fhir' ? await overFhir(target, deps) : await overSyslog(target, deps);
}

async function overSyslog(target: Target, { site, identity, timeouts }: CarrierDeps): Promise<Carrier> {
  const { protocol, host, port, authorities } = target;
  if (protocol === 'fhir') throw new RangeError('FHIR is no syslog');
  const own = protocol === 'tls' ? await identity() : undefined;
  const connection = await openSyslog(
    {
      protocol,
      host,
      port,
      ...(authorities === null ? {} : { ca: authorities }),
      ...(own === undefined ? {} : { identity: own }),
    },
    { ...TIMEOUTS, ...timeouts },
  );
  const printed = createDicomFrames(site);
  return {
    async send(events) {
      if (protocol !== 'udp') {
        await connection.sendFrames(printed.frames(events));
        return [];
      }
      const left: Outgoing[] = [];
      for (const event of events) {
        try {
          await connection.send([printed.message(event)]);
        } catch (error) {
          if (!(error instanceof DatagramTooLong)) throw error;
          left.push(event);
        }
      }
      return left;
    },
    finish: connection.finish,
    destroy: connection.destroy,
  };
}

const FHIR_JSON = 'application/fhir+json';
const PER_BUNDLE = 100;
const BundleAnswer = z.looseObject({
  entry: z.array(z.looseObject({ response: z.looseObject({ status: z.string() }).optional() })),
});

/** ITI-20 over REST: batch Bundles of AuditEvents. Each is answered, so what was taken is known for certain. */
async function overFhir(target: Target, { identity }: CarrierDeps): Promise<Carrier> {
  const own = await identity();
  const outbound = createOutbound({
    // An administrator gave this address, and audit repositories stand in private networks.
    allowedNetworks: 'any',
    ...(target.authorities === null ? {} : { authoritiesPem: target.authorities }),
    ...(own === undefined ? {} : { identity: own }),
  });
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const base = `https://${host}:${target.port}${target.path.replace(/\/$/, '')}`;

  async function post(url: string, body: string): Promise<{ status: number; body: Uint8Array }> {
    const headers = { 'content-type': FHIR_JSON, accept: FHIR_JSON };
    return await outbound.request({ method: 'POST', url, headers, body, timeoutMs: 30_000, answerBytesMax: 4_194_304 });
  }

  /** True: taken. False: never will be. */
  async function single(event: Outgoing): Promise<boolean> {
    const { status } = await post(`${base}/AuditEvent`, withoutId(event));
    if (status >= 200 && status < 300) return true;
    if (status === 400 || status === 413 || status === 422) return false;
    throw new AnswerRefused(status);
  }

  async function bundle(events: readonly Outgoing[]): Promise<Outgoing[]> {
    const entries = events.map(
      (event) =>
        `{"fullUrl":"urn:uuid:${event.id}","resource":${withoutId(event)},"request":{"method":"POST","url":"AuditEvent"}}`,
    );
    const answer = await post(base, `{"resourceType":"Bundle","type":"batch","entry":[${entries.join(',')}]}`);
    if (answer.status === 401 || answer.status === 403 || answer.status === 429 || answer.status >= 500)
      throw new AnswerRefused(answer.status);
    const verdicts = answer.status === 200 ? verdictsOf(answer.body) : undefined;
    const left: Outgoing[] = [];
    for (const [at, event] of events.entries()) {
      // What the bundle did not take is tried by itself, so that one bad event holds nothing up.
      if (verdicts?.[at]?.startsWith('2') !== true && !(await single(event))) left.push(event);
    }
    return left;
  }

  return {
    async send(events) {
      const left: Outgoing[] = [];
      for (let from = 0; from < events.length; from += PER_BUNDLE) {
        left.push(...(await bundle(events.slice(from, from + PER_BUNDLE))));
      }
      return left;
    },
    finish() {
      outbound.close();
      return Promise.resolve('confirmed');
    },
    destroy: () => outbound.close(),
  };
}

function verdictsOf(body: Uint8Array): (string | undefined)[] | undefined {
  try {
    const parsed = BundleAnswer.safeParse(JSON.parse(Buffer.from(body).toString()));
    return parsed.success ? parsed.data.entry.map(({ response }) => response?.status) : undefined;
  } catch {
    // Not JSON: nothing is known, so each event is sent by itself.
    return undefined;
  }
}

/** A create gives the id at the other end; ours goes along as the entry's fullUrl. Canonical JSON has it in one place. */
function withoutId({ content }: Outgoing): string {
  return unpackEvent(content).replace(/"id":"[0-9a-f-]{36}",/, '');
}
