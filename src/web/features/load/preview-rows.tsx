import { Skeleton } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { MapDocument, PreviewView } from '../../../features/load/wire.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
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
  const paths = [...new Map(shown.flatMap((row) => row.fields.map((field) => [field.path, field.label])))];
  if (shown.length === 0) return <p className="soft">The file has no rows.</p>;
  return (
    <div aria-busy={query.isPlaceholderData}>
      {problems.map((problem) => (
        <Notice key={problem.code + problem.text} tone={problem.level === 'error' ? 'red' : 'amber'}>
          <p>{problem.text}</p>
        </Notice>
      ))}
      {/* Scrolls sideways, so it must take the focus (WCAG 2.1.1). */}
      <div className="preview" tabIndex={0} role="region" aria-label="First rows as clients">
        <table>
          <thead>
            <tr>
              <th scope="col">Line</th>
              {paths.map(([path, label]) => (
                <th scope="col" key={path}>
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <PreviewLine key={row.line} row={row} paths={paths.map(([path]) => path)} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function PreviewLine({
  row,
  paths,
}: {
  readonly row: PreviewView['rows'][number];
  readonly paths: readonly string[];
}): ReactNode {
  const said = [
    ...(row.reject ? [`Would be rejected: ${row.reject.reason}`] : []),
    ...row.warnings.map((warning) => `${warning.column}: ${warning.reason}`),
  ];
  return (
    <>
      <tr data-rejected={row.reject !== undefined}>
        <th scope="row">{row.line}</th>
        {paths.map((path) => (
          <td key={path}>
            {row.fields
              .filter((field) => field.path === path)
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
          <td />
          <td colSpan={Math.max(1, paths.length)}>
            {said.map((text) => (
              <div key={text}>{text}</div>
            ))}
          </td>
        </tr>
      )}
    </>
  );
}
