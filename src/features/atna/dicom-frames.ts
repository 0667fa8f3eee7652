import { frame, printSyslog } from '../../platform/syslog/index.ts';
import { type PackedEvent, unpackEvent } from '../audit/index.ts';
import { printDicom } from './dicom-print.ts';
import type { FhirAuditEvent } from './fhir-audit-event.ts';

/** What is printed of an event. */
export interface PrintedEvent {
  readonly recordedMs: number;
  readonly content: PackedEvent;
}

export interface DicomFrames {
  /** The events as DICOM audit messages in syslog, octet-counted, one after the other. */
  frames(events: readonly PrintedEvent[]): Buffer;
  /** One of them without its octet count, for a datagram. */
  message(event: PrintedEvent): Buffer;
}

/** Facility 10 (security), severity 5 (notice): what ITI-20 asks for. */
const PRIORITY = 85;
const MESSAGE_ID = 'IHE+RFC-3881';

/** Ids and times: what differs between two events of the same kind by the same actor. Both have one length, whatever they say. */
const HOLES = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
/** Stands for a hole in a shape; packed JSON has no such byte. */
const HOLE = '\u0000';
const TEMPLATES_MAX = 4_000;
const ACTS_MAX = 2_000;

/** A frame with room for what differs. */
interface Template {
  readonly bytes: Buffer;
  readonly holes: readonly Hole[];
}

interface Hole {
  readonly at: number;
  /** Which of the event's values. */
  readonly value: number;
}

/** `once`: seen, and printed as it is; a shape that never comes again (a search and its words) needs no template. */
type Known = Template | 'once' | 'never';

/**
 * Prints events for ITI-20. Most of a log are events of a few kinds that differ in ids and times alone: such a frame is copied from one
 * that was printed before, and only these are written into it. A template is used where two trial prints prove that it may be.
 */
export function createDicomFrames(site: string): DicomFrames {
  /** By what comes before and after, which many events share. */
  let acts = new Map<string, Map<string, Map<string, Known>>>();
  let templates = 0;

  function shapesOf({ before, after }: PackedEvent): Map<string, Known> {
    if (templates > TEMPLATES_MAX || acts.size > ACTS_MAX) {
      acts = new Map();
      templates = 0;
    }
    const same = acts.get(before) ?? new Map<string, Map<string, Known>>();
    acts.set(before, same);
    const shapes = same.get(after) ?? new Map<string, Known>();
    same.set(after, shapes);
    return shapes;
  }

  /** The template of an event's kind, and the values to write into it. */
  function known({ content }: PrintedEvent): { template: Template | undefined; values: string[] } {
    const values: string[] = [];
    const shape = content.own.replaceAll(HOLES, (value) => {
      values.push(value);
      return HOLE;
    });
    const shapes = shapesOf(content);
    const found = shapes.get(shape);
    if (found === undefined || found === 'never') {
      if (found === undefined) templates++;
      shapes.set(shape, found ?? 'once');
      return { template: undefined, values };
    }
    if (found !== 'once') return { template: found, values };
    const made = templateOf(site, content, values);
    shapes.set(shape, made ?? 'never');
    return { template: made, values };
  }

  return {
    frames(events) {
      const parts = events.map((event) => {
        const { template, values } = known(event);
        return template === undefined
          ? { bytes: frame(print(site, event)), holes: NO_HOLES, values }
          : { ...template, values };
      });
      const all = Buffer.allocUnsafe(parts.reduce((sum, { bytes }) => sum + bytes.length, 0));
      let at = 0;
      for (const { bytes, holes, values } of parts) {
        bytes.copy(all, at);
        for (const hole of holes) all.write(values[hole.value] ?? '', at + hole.at, 'latin1');
        at += bytes.length;
      }
      return all;
    },
    message: (event) => print(site, event),
  };
}

const NO_HOLES: readonly Hole[] = [];

function print(site: string, { recordedMs, content }: PrintedEvent): Buffer {
  return printSyslog(
    {
      priority: PRIORITY,
      timestampMs: recordedMs,
      hostName: site,
      appName: 'Careseal',
      processId: '-',
      messageId: MESSAGE_ID,
    },
    // The log holds only what this program wrote; a cast saves checking it again for each of millions of events.
    printDicom(JSON.parse(unpackEvent(content)) as FhirAuditEvent),
  );
}

const isTime = (value: string): boolean => value.charCodeAt(10) === 0x54; // T

/** Values that no event has, all different. */
function trial(values: readonly string[], round: 1 | 2): string[] {
  return values.map((value, i) =>
    isTime(value)
      ? `190${round}-02-03T04:05:06.${String(i).padStart(3, '0')}Z`
      : `${round}0000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
  );
}

/** Undefined where a value shows in any other way than as it is: encoded in base64, say. Two prints of trial values tell. */
function templateOf(site: string, content: PackedEvent, values: readonly string[]): Template | undefined {
  const [first, second] = [trial(values, 1), trial(values, 2)];
  const bytes = framed(site, content, first);
  const holes = first.flatMap((value, at) => occurrences(bytes, value).map((found) => ({ at: found, value: at })));
  const template = { bytes, holes };
  return filled(template, second).equals(framed(site, content, second)) ? template : undefined;
}

function framed(site: string, content: PackedEvent, values: readonly string[]): Buffer {
  let next = 0;
  const own = content.own.replaceAll(HOLES, () => values[next++] ?? '');
  // An event's own time is the last thing in it; the header has the same.
  const recordedMs = Date.parse(values.at(-1) ?? '');
  return frame(print(site, { recordedMs: Number.isNaN(recordedMs) ? 0 : recordedMs, content: { ...content, own } }));
}

function filled({ bytes, holes }: Template, values: readonly string[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const hole of holes) copy.write(values[hole.value] ?? '', hole.at, 'latin1');
  return copy;
}

function occurrences(bytes: Buffer, value: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(value, 0, 'latin1'); at >= 0; at = bytes.indexOf(value, at + 1, 'latin1')) found.push(at);
  return found;
}
