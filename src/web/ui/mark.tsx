import type { ReactNode } from 'react';

/** Careseal's mark: a shield with a tick. */
export function Mark({ size }: { readonly size: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className="mark">
      <path d="M16 2l11 4v8c0 7.400-4.600 12.700-11 16C9.600 26.700 5 21.400 5 14V6z" fill="var(--cs-accent)" />
      <path
        d="M10.500 15.500l4 4 7.500-8"
        fill="none"
        stroke="var(--cs-ground)"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
