import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { SourceView } from '../../../features/registry/wire.ts';
import { IconArrowsSplit2 } from '../../ui/icons.ts';
import { ruleWords } from '../../ui/match-words.ts';
import { Scroller } from '../../ui/scroller.tsx';
import { Moment, Own, scoreText } from '../../ui/text.tsx';
import { Value } from './demographics.tsx';
import { type SourceLine, sourceLines } from './source-lines.ts';

export interface SourceRecordsProps {
  readonly sources: readonly SourceView[];
  readonly mayTakeOut: boolean;
  readonly onTakeOut: (sourceId: string) => void;
}

/** The records side by side, line by line. Differences carry a sign, not only a colour. */
export function SourceRecords({ sources, mayTakeOut, onTakeOut }: SourceRecordsProps): ReactNode {
  return (
    <Scroller label="Source records side by side" className="sources">
      <table>
        <thead>
          <tr>
            <th scope="col" className="sources-label">
              <span className="visually-hidden">Attribute</span>
            </th>
            {sources.map((source) => (
              <SourceHead key={source.id} source={source} {...(mayTakeOut ? { onTakeOut } : {})} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sourceLines(sources).map((line) => (
            <Line key={line.path} line={line} sources={sources} />
          ))}
          <tr className="sources-meta">
            <th scope="row" className="sources-label">
              Came from
            </th>
            {sources.map((source) => (
              <td key={source.id}>
                {source.node ?? 'a file or a user'}
                <div className="small">
                  version {source.version}, <Moment iso={source.updatedAt} />
                </div>
              </td>
            ))}
          </tr>
          <tr className="sources-meta">
            <th scope="row" className="sources-label">
              Joined this person
            </th>
            {sources.map((source) => (
              <td key={source.id}>
                <LinkedBy source={source} />
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </Scroller>
  );
}

interface SourceHeadProps {
  readonly source: SourceView;
  readonly onTakeOut?: (sourceId: string) => void;
}

function SourceHead({ source, onTakeOut }: SourceHeadProps): ReactNode {
  return (
    <th scope="col">
      <strong>{source.domainLabel}</strong>
      <span className="sources-key">{source.key !== undefined && <Own>{source.key}</Own>}</span>
      {onTakeOut && (
        <Button
          variant="default"
          size="compact-xs"
          leftSection={<IconArrowsSplit2 size={14} aria-hidden />}
          onClick={() => onTakeOut(source.id)}
          aria-label={`Take out the record of ${source.domainLabel} ${source.key ?? ''}`}
        >
          Take out
        </Button>
      )}
    </th>
  );
}

function Line({ line, sources }: { readonly line: SourceLine; readonly sources: readonly SourceView[] }): ReactNode {
  return (
    <tr data-differs={line.differs}>
      <th scope="row" className="sources-label">
        {line.label}
        {line.differs && (
          <span className="sources-sign" title="The records differ here">
            ≠<span className="visually-hidden"> differs</span>
          </span>
        )}
      </th>
      {line.values.map((values, index) => (
        <td key={sources[index]?.id ?? index}>
          {values.length === 0 && (
            <span className="soft" aria-label="not given">
              —
            </span>
          )}
          {values.map((value) => (
            <div key={value}>
              <Value value={value} />
            </div>
          ))}
        </td>
      ))}
    </tr>
  );
}

const JOINED: Readonly<Record<string, string>> = {
  created: 'made this client',
  linked: 'linked automatically',
  unlinked: 'taken out of another client',
  merged: 'came with a merge',
  unmerged: 'came back when a merge was undone',
  'review-decided': 'linked by decision',
};

function LinkedBy({ source }: { readonly source: SourceView }): ReactNode {
  const by = source.linkedBy;
  if (!by) return 'first record of this person';
  const basis = [by.score === undefined ? undefined : scoreText(by.score), by.rule && ruleWords(by.rule)].filter(
    Boolean,
  );
  return (
    <>
      {JOINED[by.kind] ?? by.kind.replaceAll('-', ' ')}
      {basis.length > 0 && ` (${basis.join(', ')})`}
      <div className="small">
        {by.kind === 'linked' || by.kind === 'created' ? 'sent by' : 'by'} <Own>{by.actor.name}</Own>,{' '}
        <Moment iso={by.at} />
        {by.reason !== undefined && <>: “{by.reason}”</>}
      </div>
    </>
  );
}
