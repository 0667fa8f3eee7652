import type { ReactNode } from 'react';
import type { ActivityReply } from '../../../features/reports/wire.ts';
import { Picture } from '../../ui/picture.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { dateText } from '../../ui/text.tsx';
import { dayStart } from './audit-queries.ts';

export interface HourMapProps {
  readonly hours: ActivityReply['hours'];
  readonly days: { readonly from: string; readonly to: string };
}

const CELL = 15;
const GAP = 2;
const LEFT = 44;
const TOP = 22;
/** Days drawn at once: more would be smaller than a finger. */
const DAYS_MAX = 62;
const STEPS = 4;

interface Day {
  readonly day: string;
  readonly counts: number[];
  readonly sum: number;
}

/** Days from left to right, hours of the day from top to bottom; the darker, the busier. */
export function HourMap({ hours, days }: HourMapProps): ReactNode {
  const rows = byDay(hours, days);
  const shown = rows.slice(-DAYS_MAX);
  const most = Math.max(1, ...shown.flatMap(({ counts }) => counts));
  return (
    <Picture
      title="Acts by hour"
      picture={<Drawing days={shown} most={most} />}
      table={<HourTable days={rows} />}
      note={`Hours in your own time zone; the busiest had ${most.toLocaleString()} acts.${rows.length > shown.length ? ` The last ${DAYS_MAX} days are drawn; the table has all.` : ''}`}
    />
  );
}

function byDay(hours: HourMapProps['hours'], { from, to }: HourMapProps['days']): Day[] {
  const counts = new Map<string, number[]>();
  for (let step = 0; step < 400; step++) {
    const at = dayStart(from, step);
    const day = at === undefined ? undefined : localDay(new Date(at));
    if (day === undefined || day > to) break;
    counts.set(day, Array<number>(24).fill(0));
  }
  for (const { at, events } of hours) {
    const moment = new Date(at);
    const row = counts.get(localDay(moment));
    if (row !== undefined) row[moment.getHours()] = (row[moment.getHours()] ?? 0) + events;
  }
  return [...counts].map(([day, row]) => ({ day, counts: row, sum: row.reduce((sum, one) => sum + one, 0) }));
}

function localDay(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function Drawing({ days, most }: { readonly days: readonly Day[]; readonly most: number }): ReactNode {
  // Few days have room to be wide.
  const cell = days.length <= 14 ? 2 * CELL : CELL;
  const width = LEFT + days.length * (cell + GAP);
  const height = TOP + 24 * (CELL + GAP);
  return (
    <Scroller label="Acts by hour, drawing" className="hour-scroll">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label="Acts by day and hour; the table has the numbers"
        className="hour-map"
      >
        {[0, 6, 12, 18].map((hour) => (
          <text key={hour} x={0} y={TOP + hour * (CELL + GAP) + CELL - 3}>
            {`${String(hour).padStart(2, '0')}:00`}
          </text>
        ))}
        {days.map(({ day, counts }, column) => (
          <g key={day} transform={`translate(${LEFT + column * (cell + GAP)} 0)`}>
            {(days.length <= 14 || column % 7 === 0) && (
              <text x={0} y={TOP - 8}>
                {days.length <= 14 ? String(Number(day.slice(8))) : day.slice(5)}
              </text>
            )}
            {counts.map((count, hour) => (
              <rect
                // The hours of a day never change their order.
                // oxlint-disable-next-line react/no-array-index-key
                key={hour}
                y={TOP + hour * (CELL + GAP)}
                width={cell}
                height={CELL}
                rx={2}
                data-step={count === 0 ? 0 : Math.max(1, Math.ceil((count / most) * STEPS))}
              >
                <title>{`${dateText(day)}, ${String(hour).padStart(2, '0')}:00: ${count.toLocaleString()}`}</title>
              </rect>
            ))}
          </g>
        ))}
      </svg>
    </Scroller>
  );
}

function HourTable({ days }: { readonly days: readonly Day[] }): ReactNode {
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col" data-align="end">
            Acts
          </th>
          <th scope="col">Busiest hour</th>
        </tr>
      </thead>
      <tbody>
        {days.map(({ day, counts, sum }) => (
          <tr key={day}>
            <th scope="row">{dateText(day)}</th>
            <td data-align="end">{sum.toLocaleString()}</td>
            <td>{sum === 0 ? '—' : busiest(counts)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function busiest(counts: readonly number[]): string {
  const most = Math.max(...counts);
  return `${String(counts.indexOf(most)).padStart(2, '0')}:00, ${most.toLocaleString()}`;
}
