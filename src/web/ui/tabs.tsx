import { type ReactNode, useEffect, useRef } from 'react';
import './tabs.css';

export interface TabsProps {
  /** What the places belong to. */
  readonly label: string;
  /** Links; the one that is shown bears `aria-current="page"`. */
  readonly children: ReactNode;
}

/** The places of one part of the product, under the page's title. Each has an address of its own. */
export function Tabs({ label, children }: TabsProps): ReactNode {
  const ref = useRef<HTMLElement>(null);
  const width = useRef(0);
  // On a phone not all fit: where one is must be seen, also when a count that came later makes them wider.
  useEffect(() => {
    const tabs = ref.current;
    if (!tabs || tabs.scrollWidth === width.current) return;
    width.current = tabs.scrollWidth;
    const current = tabs.querySelector<HTMLElement>('[aria-current="page"]');
    if (current) tabs.scrollLeft = current.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
  });
  return (
    <nav className="tabs" aria-label={label} ref={ref}>
      {children}
    </nav>
  );
}
