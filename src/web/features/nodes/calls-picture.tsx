import type { ReactNode } from 'react';
import type { WireCallFigures, WireCallSlot } from '../../../features/nodes/wire-calls.ts';
import { Picture } from '../../ui/picture.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { Moment } from '../../ui/text.tsx';
import './nodes.css';

const WIDTH = 600;
const HEIGHT = 90;
const FOOT = 1;

interface Slot extends WireCallSlot {
  readonly index: number;
}

/** How many calls, and how long they took: two drawings over the same time. */
export function CallsPicture({ figures }: { readonly figures: WireCallFigures }): ReactNode {
  const slots = placed(figures);
  const total = slots.reduce((sum, slot) => sum + slot.calls, 0);
  const failed = slots.reduce((sum, slot) => sum + slot.failed, 0);
  if (total === 0) return <p className="soft">No calls in this time.</p>;
  const count = (figures.hours * 3600) / figures.slotSeconds;
  const most = Math.max(...slots.map((slot) => slot.calls));
  const slowest = Math.max(...slots.map((slot) => slot.p95Ms));
  return (
    <div className="calls-pictures">
      <Picture
        title="Calls"
        picture={<Volume slots={slots} count={count} most={most} />}
        table={<SlotTable slots={slots} />}
        note={`${total.toLocaleString()} calls, ${failed.toLocaleString()} of them refused or failed (amber). The busiest ${span(figures.slotSeconds)} had ${most.toLocaleString()}.`}
      />
      <Picture
        title="Time to answer"
        picture={<Latency slots={slots} count={count} slowest={slowest} />}
        table={<SlotTable slots={slots} />}
        note={`The line: 95 of 100 calls took at most this long; the bars: half of them. Highest: ${slowest.toLocaleString()} ms.`}
      />
    </div>
  );
}

function placed({ slots, from, slotSeconds }: WireCallFigures): Slot[] {
  const start = new Date(from).getTime();
  return slots.map((slot) => ({
    ...slot,
    index: Math.round((new Date(slot.at).getTime() - start) / 1000 / slotSeconds),
  }));
}

function span(seconds: number): string {
  if (seconds < 3600) return seconds === 60 ? 'minute' : `${seconds / 60} minutes`;
  return `${seconds / 3600} hours`;
}

interface DrawingProps {
  readonly slots: readonly Slot[];
  readonly count: number;
}

function Volume({ slots, count, most }: DrawingProps & { readonly most: number }): ReactNode {
  const width = WIDTH / count;
  const high = (calls: number) => (calls === 0 ? 0 : Math.max(1.5, (calls / most) * (HEIGHT - FOOT)));
  return (
    <svg className="calls-drawing" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      <line x1="0" x2={WIDTH} y1={HEIGHT - FOOT / 2} y2={HEIGHT - FOOT / 2} />
      {slots.map(({ index, calls, failed }) => (
        <g key={index}>
          <rect
            className="calls-ok"
            x={index * width}
            width={width * 0.8}
            y={HEIGHT - high(calls)}
            height={high(calls)}
          />
          <rect
            className="calls-failed"
            x={index * width}
            width={width * 0.8}
            y={HEIGHT - high(failed)}
            height={high(failed)}
          />
        </g>
      ))}
    </svg>
  );
}

function Latency({ slots, count, slowest }: DrawingProps & { readonly slowest: number }): ReactNode {
  const width = WIDTH / count;
  const high = (ms: number) => (ms / Math.max(1, slowest)) * (HEIGHT - 4);
  const points = slots.map(({ index, p95Ms }) => `${(index + 0.4) * width},${HEIGHT - high(p95Ms)}`).join(' ');
  return (
    <svg className="calls-drawing" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      <line x1="0" x2={WIDTH} y1={HEIGHT - FOOT / 2} y2={HEIGHT - FOOT / 2} />
      {slots.map(({ index, medianMs }) => (
        <rect
          className="calls-median"
          key={index}
          x={index * width}
          width={width * 0.8}
          y={HEIGHT - high(medianMs)}
          height={high(medianMs)}
        />
      ))}
      {slots.length === 1 ? (
        <circle
          className="calls-dot"
          cx={((slots[0]?.index ?? 0) + 0.4) * width}
          cy={HEIGHT - high(slots[0]?.p95Ms ?? 0)}
          r="3"
        />
      ) : (
        <polyline points={points} vectorEffect="non-scaling-stroke" />
      )}
    </svg>
  );
}

function SlotTable({ slots }: { readonly slots: readonly Slot[] }): ReactNode {
  return (
    <Scroller label="Calls by time" className="calls-table">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col" data-align="end">
              Calls
            </th>
            <th scope="col" data-align="end">
              Failed
            </th>
            <th scope="col" data-align="end">
              Half within
            </th>
            <th scope="col" data-align="end">
              95 % within
            </th>
          </tr>
        </thead>
        <tbody>
          {slots.map((slot) => (
            <tr key={slot.at}>
              <th scope="row">
                <Moment iso={slot.at} />
              </th>
              <td data-align="end">{slot.calls.toLocaleString()}</td>
              <td data-align="end">{slot.failed.toLocaleString()}</td>
              <td data-align="end">{slot.medianMs} ms</td>
              <td data-align="end">{slot.p95Ms} ms</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
