import { Skeleton } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { usePreferences } from '../app/preferences.tsx';
import { useListKeys } from './list-keys.ts';
import { useIsNarrow, useIsWide, useRowWindow } from './row-window.ts';
import './list-table.css';

export interface Column<Row> {
  readonly key: string;
  readonly header: string;
  /** CSS grid track, e.g. `minmax(12rem, 2fr)`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: 'end';
  /** Left out where the window is not wide: the row's own page or drawer has it. */
  readonly wideOnly?: boolean;
  /** Where the cell stands on a phone: two lines, two places each. */
  readonly phone?: 'title' | 'side' | 'line' | 'corner' | 'hide';
}

export interface ListTableProps<Row> {
  /** Names the table for screen readers. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** The row's link or button, rendered into the first column and stretched over the row. Give it class `row-link`. */
  readonly renderOpen: (row: Row, content: ReactNode) => ReactNode;
  /** Called when the last rows come near the screen. */
  readonly onEnd?: () => void;
  readonly loadingMore?: boolean;
  readonly total?: number | undefined;
  readonly selectedKey?: string | undefined;
  /** The row that has a menu or buttons of its own keeps them above the stretched link with class `row-above`. */
  readonly phoneRowPx?: number;
}

/**
 * A list with real rows, keyboard movement (arrows, J and K, Home, End) and only the visible rows in the document, so that
 * five thousand are as quick as fifty.
 */
export function ListTable<Row>(props: ListTableProps<Row>): ReactNode {
  const { rows, onEnd } = props;
  const body = useRef<HTMLDivElement>(null);
  const { preferences } = usePreferences();
  const phone = useIsNarrow();
  const roomy = useIsWide();
  const columns = props.columns.filter((column) => roomy || phone || column.wideOnly !== true);
  const rowPx = phone ? (props.phoneRowPx ?? 64) : preferences.density === 'compact' ? 32 : 40;
  const range = useRowWindow(body, rows.length, rowPx);
  const template = columns.map((column) => column.width).join(' ');
  useListKeys({ body, count: rows.length, rowPx, range });
  useEffect(() => {
    if (range.last >= rows.length - 5) onEnd?.();
  }, [range.last, rows.length, onEnd]);
  return (
    <div
      className="list"
      role="table"
      aria-label={props.label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      data-phone={phone}
    >
      <ListHead columns={columns} template={template} />
      <div className="list-body" role="rowgroup" ref={body} style={{ height: rows.length * rowPx }}>
        {rows.slice(range.first, range.last).map((row, offset) => (
          <ListRow
            key={props.rowKey(row)}
            row={row}
            index={range.first + offset}
            rowPx={rowPx}
            template={template}
            columns={columns}
            table={props}
          />
        ))}
      </div>
      {props.loadingMore && (
        <div className="list-more" role="status">
          <Skeleton height={10} width="30%" radius="xl" />
          <span className="visually-hidden">Loading more</span>
        </div>
      )}
    </div>
  );
}

interface ListHeadProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly template: string;
}

function ListHead<Row>({ columns, template }: ListHeadProps<Row>): ReactNode {
  return (
    <div className="list-head" role="rowgroup">
      <div className="list-row" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map((column) => (
          <div role="columnheader" key={column.key} data-align={column.align}>
            {column.header}
          </div>
        ))}
      </div>
    </div>
  );
}

interface ListRowProps<Row> {
  readonly row: Row;
  readonly index: number;
  readonly rowPx: number;
  readonly template: string;
  readonly columns: readonly Column<Row>[];
  readonly table: ListTableProps<Row>;
}

function ListRow<Row>({ row, index, rowPx, template, columns, table }: ListRowProps<Row>): ReactNode {
  const selected = table.selectedKey !== undefined && table.selectedKey === table.rowKey(row);
  return (
    <div
      className="list-row"
      role="row"
      data-index={index}
      data-selected={selected}
      aria-rowindex={index + 2}
      style={{ gridTemplateColumns: template, height: rowPx, transform: `translateY(${index * rowPx}px)` }}
    >
      {columns.map((column, position) => (
        <div role="cell" key={column.key} data-align={column.align} data-phone={column.phone ?? 'hide'}>
          {position === 0 ? table.renderOpen(row, column.cell(row)) : column.cell(row)}
        </div>
      ))}
    </div>
  );
}

export function ListSkeleton({ rows = 8 }: { readonly rows?: number }): ReactNode {
  return (
    <div className="list" role="status" aria-label="Loading">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, index) => (
        <div className="list-skeleton" key={index}>
          <Skeleton height={10} width={`${34 - ((index * 7) % 13)}%`} radius="xl" />
          <Skeleton height={10} width={`${14 - ((index * 3) % 5)}%`} radius="xl" />
          <Skeleton height={10} width={`${20 - ((index * 5) % 9)}%`} radius="xl" />
        </div>
      ))}
    </div>
  );
}
