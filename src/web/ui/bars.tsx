import type { ReactNode } from 'react';
import './picture.css';

export interface BarItem {
  readonly label: string;
  readonly value: number;
  readonly tone?: 'accent' | 'amber' | 'quiet';
}

/** Counts side by side. Label and number are text, so the drawing carries its own table. */
export function Bars({ items }: { readonly items: readonly BarItem[] }): ReactNode {
  const most = Math.max(1, ...items.map((item) => item.value));
  return (
    <dl className="bars">
      {items.map((item) => (
        <BarLine key={item.label} item={item} share={item.value / most} />
      ))}
    </dl>
  );
}

function BarLine({ item, share }: { readonly item: BarItem; readonly share: number }): ReactNode {
  return (
    <>
      <dt>{item.label}</dt>
      <dd data-tone={item.tone ?? 'accent'}>
        <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden>
          <rect x="0" y="0" width={item.value === 0 ? 0 : Math.max(0.6, share * 100)} height="10" />
        </svg>
      </dd>
      <dd className="numbers">{item.value.toLocaleString()}</dd>
    </>
  );
}
