import { Skeleton } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { MapDocument, PreviewView } from '../../../features/load/wire.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { shortSystem } from '../../ui/match-words.ts';
import { Scroller } from '../../ui/scroller.tsx';
import { Value } from '../registry/demographics.tsx';
import { preview } from './load-queries.ts';

export interface PreviewRowsProps {
  readonly uploadId: string;
  readonly map: MapDocument;
  readonly domain: string;
}

/** The first rows as the clients they would become, with what is wrong in each. */
export function PreviewRows({ uploadId, map, domain }: PreviewRowsProps): ReactNode {
  const query = useQuery({ ...preview(uploadId, map, domain), placeholderData: keepPreviousData });
  if (query.isError) return <FailureNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton height={120} radius="md" />;
  const { rows, problems } = query.data;
  const shown = rows.slice(0, 8);
  const columns = [...new Map(shown.flatMap((row) => row.fields.map((field) => [columnOf(field), field.label])))];
  if (shown.length === 0) return <p className="soft">The file has no rows.</p>;
  return (
    <div aria-busy={query.isPlaceholderData}>
      {problems.map((problem) => (
        <Notice key={problem.code + problem.text} tone={problem.level === 'error' ? 'red' : 'amber'}>
          <p>{problem.text}</p>
        </Notice>
      ))}
      <Scroller label="First rows as clients" className="preview">
        <table>
          <thead>
            <tr>
              <th scope="col">Line</th>
              {columns.map(([column, label]) => (
                <th scope="col" key={column}>
                  {shortSystem(label)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <PreviewLine key={row.line} row={row} columns={columns.map(([column]) => column)} />
            ))}
          </tbody>
        </table>
      </Scroller>
    </div>
  );
}

type Row = PreviewView['rows'][number];

/** Identifiers of several systems share their path; each system is a column of its own. */
const columnOf = (field: Row['fields'][number]): string => `${field.path} ${field.label}`;

function PreviewLine({ row, columns }: { readonly row: Row; readonly columns: readonly string[] }): ReactNode {
  const said = [
    ...(row.reject ? [`Would be rejected: ${row.reject.reason}`] : []),
    ...row.warnings.map((warning) => `${warning.column}: ${warning.reason}`),
  ];
  return (
    <>
      <tr data-rejected={row.reject !== undefined}>
        <th scope="row">{row.line}</th>
        {columns.map((column) => (
          <td key={column}>
            {row.fields
              .filter((field) => columnOf(field) === column)
              .map((field) => (
                <div key={field.value}>
                  <Value value={field.value} />
                </div>
              ))}
          </td>
        ))}
      </tr>
      {said.length > 0 && (
        <tr className="preview-said" data-rejected={row.reject !== undefined}>
          <td colSpan={columns.length + 1}>
            {said.map((text) => (
              <div key={text}>{text}</div>
            ))}
          </td>
        </tr>
      )}
    </>
  );
}
