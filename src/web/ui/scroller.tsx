import type { ReactNode } from 'react';
import './plain-table.css';

export interface ScrollerProps {
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
}

/** Something that scrolls by itself: a region with a name, reachable by keyboard, or nobody without a mouse sees its end. */
export function Scroller({ label, className, children }: ScrollerProps): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- WCAG 2.1.1: what scrolls must take the focus
    <section className={className} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
