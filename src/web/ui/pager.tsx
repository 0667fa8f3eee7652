import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import './pager.css';

export interface PagerProps {
  /** What is listed, for whoever hears it: `memberships`. */
  readonly label: string;
  /** How many come before this page. */
  readonly offset: number;
  /** How many one page shows at most. */
  readonly page: number;
  readonly total: number;
  readonly onMove: (offset: number) => void;
}

/** Where one is in a long list, and the way on and back. Nothing where all fit. */
export function Pager({ label, offset, page, total, onMove }: PagerProps): ReactNode {
  if (offset === 0 && total <= page) return null;
  const last = Math.min(offset + page, total);
  return (
    <nav className="pager" aria-label={`Pages of ${label}`}>
      <Button
        variant="default"
        size="xs"
        disabled={offset === 0}
        onClick={() => onMove(Math.max(0, Math.min(offset, total) - page))}
      >
        Back
      </Button>
      <span className="soft small numbers" role="status">
        {offset < last ? `${(offset + 1).toLocaleString()} to ${last.toLocaleString()}` : 'none'} of{' '}
        {total.toLocaleString()}
      </span>
      <Button variant="default" size="xs" disabled={last >= total} onClick={() => onMove(offset + page)}>
        Next
      </Button>
    </nav>
  );
}

export interface PartsProps<Row> extends Pick<PagerProps, 'label'> {
  readonly rows: readonly Row[];
  readonly children: (shown: readonly Row[]) => ReactNode;
}

const PART = 20;

/** A list that came whole, in parts: what follows it on the page is not pushed out of reach. */
export function Parts<Row>({ label, rows, children }: PartsProps<Row>): ReactNode {
  const [asked, setOffset] = useState(0);
  // The last row of the last part may have gone meanwhile.
  const offset = Math.min(asked, Math.max(0, Math.ceil(rows.length / PART) - 1) * PART);
  return (
    <>
      {children(rows.slice(offset, offset + PART))}
      <Pager label={label} offset={offset} page={PART} total={rows.length} onMove={setOffset} />
    </>
  );
}
