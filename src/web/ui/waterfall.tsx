import { type ReactNode, useId } from 'react';
import type { ExplanationView } from '../../features/registry/wire.ts';
import { contradictionWords, gradeWords, ruleWords } from './match-words.ts';
import { Notice } from './notice.tsx';
import { Picture } from './picture.tsx';
import { scoreText } from './text.tsx';
import { type Step, type Steps, stepsOf, weightText } from './waterfall-steps.ts';
import './plain-table.css';

const WIDTH = 400;
const HEIGHT = 38;
const BAR = 14;

/** Why two records got their score: what each field added or took away. */
export function Waterfall({ explanation }: { readonly explanation: ExplanationView }): ReactNode {
  const steps = stepsOf(explanation);
  return (
    <div>
      <div className="fall-verdict">
        <strong>{scoreText(explanation.score)}</strong>
        <span>{gradeWords(explanation.grade)}</span>
        {explanation.rule !== undefined && <span className="soft">by the rule: {ruleWords(explanation.rule)}</span>}
      </div>
      {explanation.contradictions.length > 0 && (
        <Notice tone="amber" title="Something speaks against it">
          {explanation.contradictions.map((code) => (
            <p key={code}>{contradictionWords(code)}</p>
          ))}
        </Notice>
      )}
      <Picture
        title="Why this score"
        picture={<Drawing steps={steps} />}
        table={<Table steps={steps} />}
        note={
          <>
            Bars to the right speak for one person, hatched bars to the left against. One step more doubles the odds.
            {steps.silent.length > 0 && <> Missing in one record, so silent: {steps.silent.join(', ')}.</>} Model{' '}
            <span className="nowrap">{explanation.modelVersion}</span>.
          </>
        }
      />
    </div>
  );
}

function Drawing({ steps: { steps, total, low, high } }: { readonly steps: Steps }): ReactNode {
  const hatch = useId();
  const x = (weight: number): number => ((weight - low) / Math.max(high - low, 1)) * (WIDTH - 8) + 4;
  return (
    <ol className="fall">
      {steps.map((step, index) => (
        <li key={step.key}>
          <span className="fall-label">
            {step.label}
            <small>{step.note}</small>
          </span>
          <Bar step={step} x={x} hatch={hatch} last={index === steps.length - 1} />
          <span className="fall-value">{weightText(step.weight)}</span>
        </li>
      ))}
      <li data-sum="true">
        <span className="fall-label">Sum</span>
        <Bar step={{ from: 0, to: total, weight: total }} x={x} hatch={hatch} last />
        <span className="fall-value">{weightText(total)}</span>
      </li>
    </ol>
  );
}

interface BarProps {
  readonly step: Pick<Step, 'from' | 'to' | 'weight'>;
  readonly x: (weight: number) => number;
  readonly hatch: string;
  readonly last: boolean;
}

function Bar({ step, x, hatch, last }: BarProps): ReactNode {
  const left = Math.min(x(step.from), x(step.to));
  const width = Math.max(2, Math.abs(x(step.to) - x(step.from)));
  const top = (HEIGHT - BAR) / 2;
  const against = step.weight < 0;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      <defs>
        <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="6" className="fall-hatch" />
        </pattern>
      </defs>
      <line x1={x(0)} x2={x(0)} y1="0" y2={HEIGHT} className="fall-zero" vectorEffect="non-scaling-stroke" />
      {Math.abs(step.weight) < 0.05 ? (
        <line
          x1={x(step.to)}
          x2={x(step.to)}
          y1={top}
          y2={top + BAR}
          className="fall-step"
          vectorEffect="non-scaling-stroke"
        />
      ) : (
        <>
          <rect
            x={left}
            y={top}
            width={width}
            height={BAR}
            rx="1.5"
            className={against ? 'fall-against' : 'fall-for'}
          />
          {against && <rect x={left} y={top} width={width} height={BAR} rx="1.5" fill={`url(#${hatch})`} />}
        </>
      )}
      {!last && (
        <line
          x1={x(step.to)}
          x2={x(step.to)}
          y1={top + BAR}
          y2={HEIGHT}
          className="fall-step"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}

function Table({ steps: { steps, total } }: { readonly steps: Steps }): ReactNode {
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">How they compare</th>
          <th scope="col" data-align="end">
            Adds
          </th>
          <th scope="col" data-align="end">
            Sum
          </th>
        </tr>
      </thead>
      <tbody>
        {steps.map((step) => (
          <tr key={step.key}>
            <th scope="row">{step.label}</th>
            <td>
              {step.note}
              {step.similarity !== undefined && ` (${Math.round(step.similarity * 100)} % alike)`}
            </td>
            <td data-align="end">{weightText(step.weight)}</td>
            <td data-align="end">{weightText(step.to)}</td>
          </tr>
        ))}
        <tr>
          <th scope="row" colSpan={3}>
            Sum
          </th>
          <td data-align="end">{weightText(total)}</td>
        </tr>
      </tbody>
    </table>
  );
}
