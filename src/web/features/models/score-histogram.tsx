import { NumberInput } from '@mantine/core';
import { type ReactNode, type PointerEvent, useRef } from 'react';
import type { SimulationReport } from '../../../features/models/wire.ts';
import { Picture } from '../../ui/picture.tsx';
import { effectOf, oddsOf, scoreOf } from './threshold-effect.ts';

type Histogram = SimulationReport['histogram'];
export interface Bounds {
  readonly match: number;
  readonly review: number;
}

const WIDTH = 720;
const HEIGHT = 200;
const FOOT = 22;

interface Props {
  readonly histogram: Histogram;
  readonly bounds: Bounds;
  readonly onChange: (bounds: Bounds) => void;
}

/** Pairs by score, with both thresholds: drag the lines, or type the numbers. What they would do is said below. */
export function ScoreHistogram({ histogram, bounds, onChange }: Props): ReactNode {
  const effect = effectOf(histogram, bounds);
  const change = (name: keyof Bounds, score: number): void => {
    const value = Math.round(Math.min(0.9999, Math.max(0.01, score)) * 10_000) / 10_000;
    const next = { ...bounds, [name]: value };
    if (next.review < next.match && next.match >= 0.5) onChange(next);
  };
  return (
    <div className="stack">
      <Picture
        title="Pairs by score"
        picture={<Drawing histogram={histogram} bounds={bounds} onDrag={change} />}
        table={<Table histogram={histogram} />}
        note="Each bar counts pairs of records with about that score. Coloured, below: one person now. Grey, above: two people now. Counts grow by tens, so that few are seen beside many."
      />
      <div className="threshold-fields">
        <Threshold label="Ask a steward from" value={bounds.review} onChange={(score) => change('review', score)} />
        <Threshold label="Link from" value={bounds.match} onChange={(score) => change('match', score)} />
      </div>
      <p aria-live="polite" className="threshold-words">
        With these, <strong>{effect.linked.toLocaleString()}</strong> pairs that are two people now would score as a
        link, <strong>{effect.asked.toLocaleString()}</strong> would go to a steward, and{' '}
        <strong>{effect.lost.toLocaleString()}</strong> pairs of one person would no longer be held together by their
        score. Contradictions and stewards’ decisions still stop what they stop.
      </p>
    </div>
  );
}

function Threshold({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (score: number) => void;
}): ReactNode {
  return (
    <NumberInput
      label={label}
      suffix=" %"
      min={1}
      max={99.99}
      step={0.5}
      decimalScale={2}
      value={Math.round(value * 1_000_000) / 10_000}
      onChange={(next) => typeof next === 'number' && onChange(next / 100)}
    />
  );
}

interface DrawingProps {
  readonly histogram: Histogram;
  readonly bounds: Bounds;
  readonly onDrag: (name: keyof Bounds, score: number) => void;
}

function Drawing({ histogram: { from, to, step, together, apart }, bounds, onDrag }: DrawingProps): ReactNode {
  const svg = useRef<SVGSVGElement>(null);
  const dragged = useRef<keyof Bounds | undefined>(undefined);
  const most = Math.max(1, ...together.map((count, at) => count + (apart[at] ?? 0)));
  const height = (count: number): number =>
    count === 0 ? 0 : (Math.log10(1 + count) / Math.log10(1 + most)) * (HEIGHT - FOOT - 8);
  const x = (odds: number): number => ((Math.min(to, Math.max(from, odds)) - from) / (to - from)) * WIDTH;
  const move = ({ clientX }: PointerEvent): void => {
    const box = svg.current?.getBoundingClientRect();
    if (!box || !dragged.current) return;
    onDrag(dragged.current, scoreOf(from + ((clientX - box.left) / box.width) * (to - from)));
  };
  const width = WIDTH / together.length;
  return (
    <svg
      ref={svg}
      className="score-histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden
      onPointerMove={move}
      onPointerUp={() => (dragged.current = undefined)}
      onPointerLeave={() => (dragged.current = undefined)}
    >
      {together.map((count, at) => {
        const both = height(count + (apart[at] ?? 0));
        const own = count === 0 ? 0 : both * (count / (count + (apart[at] ?? 0)));
        const left = x(from + at * step);
        return (
          <g key={from + at * step}>
            <rect className="apart" x={left + 0.5} width={width - 1} y={HEIGHT - FOOT - both} height={both - own} />
            <rect className="together" x={left + 0.5} width={width - 1} y={HEIGHT - FOOT - own} height={own} />
          </g>
        );
      })}
      <line className="axis" x1="0" x2={WIDTH} y1={HEIGHT - FOOT} y2={HEIGHT - FOOT} />
      {[0.001, 0.1, 0.5, 0.9, 0.999].map((score) => (
        <text key={score} x={x(oddsOf(score))} y={HEIGHT - 6} textAnchor="middle">
          {score * 100} %
        </text>
      ))}
      {(['review', 'match'] as const).map((name) => (
        <g key={name} className="bound" onPointerDown={() => (dragged.current = name)}>
          <rect x={x(oddsOf(bounds[name])) - 9} width="18" y="0" height={HEIGHT - FOOT} className="handle" />
          <line x1={x(oddsOf(bounds[name]))} x2={x(oddsOf(bounds[name]))} y1="0" y2={HEIGHT - FOOT} />
          <text
            x={x(oddsOf(bounds[name])) + (name === 'match' ? 4 : -4)}
            y="11"
            textAnchor={name === 'match' ? 'start' : 'end'}
          >
            {name === 'match' ? 'link' : 'ask'}
          </text>
        </g>
      ))}
    </svg>
  );
}

const GROUPS = [0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1] as const;

function Table({ histogram: { from, step, together, apart } }: { readonly histogram: Histogram }): ReactNode {
  const rows = GROUPS.slice(1).map((to, at) => {
    const low = GROUPS[at] ?? 0;
    const inside = together.map((_, bin) => {
      const score = scoreOf(from + (bin + 0.5) * step);
      return score >= low && score < to;
    });
    const sum = (counts: readonly number[]) => counts.reduce((all, count, bin) => all + (inside[bin] ? count : 0), 0);
    return { low, to, together: sum(together), apart: sum(apart) };
  });
  return (
    <table className="model-table">
      <thead>
        <tr>
          <th scope="col">Score</th>
          <th scope="col">One person now</th>
          <th scope="col">Two people now</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.low}>
            <th scope="row">
              {row.low * 100}–{row.to * 100} %
            </th>
            <td>{row.together.toLocaleString()}</td>
            <td>{row.apart.toLocaleString()}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
