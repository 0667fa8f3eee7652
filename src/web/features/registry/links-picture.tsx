import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { ClientDetailReply } from '../../../features/registry/wire.ts';
import { IconArrowsSplit2, IconBan } from '../../ui/icons.ts';
import { IdentityGraph, linkKey } from '../../ui/identity-graph.tsx';
import { gradeWords } from '../../ui/match-words.ts';
import { Picture } from '../../ui/picture.tsx';
import { scoreText } from '../../ui/text.tsx';
import { Waterfall } from '../../ui/waterfall.tsx';
import '../../ui/plain-table.css';

export interface LinksPictureProps {
  readonly detail: ClientDetailReply;
  readonly decides: boolean;
  readonly onTakeOut: (sourceId: string) => void;
  readonly onNever: (a: string, b: string) => void;
}

/** The records as a drawn net; choosing a tie shows why it holds and offers to break it. */
export function LinksPicture({ detail, decides, onTakeOut, onNever }: LinksPictureProps): ReactNode {
  const { sources, links } = detail;
  const strongest = links.toSorted((a, b) => b.explanation.score - a.explanation.score)[0];
  const [selected, setSelected] = useState<string | undefined>(strongest && linkKey(strongest));
  if (sources.length < 2) {
    return (
      <p className="soft">
        One record only, so there is nothing to link. When another system or file sends a record that fits, it appears
        here with the reasons.
      </p>
    );
  }
  const chosen = links.find((link) => linkKey(link) === selected);
  return (
    <>
      <Picture
        title="How the records are tied"
        note="The stronger the tie, the surer it is. Dashed ties hold through a decision or another record. Choose a tie to see why."
        picture={
          <IdentityGraph
            sources={sources.map((source) => ({
              id: source.id,
              label: source.domainLabel,
              note: source.key ?? `version ${source.version}`,
            }))}
            links={links.map((link) => ({
              a: link.a,
              b: link.b,
              score: link.explanation.score,
              decision: link.explanation.decision,
            }))}
            never={detail.neverLinked}
            selected={selected}
            onSelect={setSelected}
          />
        }
        table={<LinkTable detail={detail} selected={selected} onSelect={setSelected} />}
      />
      {chosen && (
        <ChosenTie link={chosen} sources={sources} decides={decides} onTakeOut={onTakeOut} onNever={onNever} />
      )}
    </>
  );
}

interface ChosenTieProps extends Omit<LinksPictureProps, 'detail'> {
  readonly link: ClientDetailReply['links'][number];
  readonly sources: ClientDetailReply['sources'];
}

/** Why the chosen tie holds, and the two ways to break it. */
function ChosenTie({ link, sources, decides, onTakeOut, onNever }: ChosenTieProps): ReactNode {
  const labelOf = (id: string): string => sources.find((source) => source.id === id)?.domainLabel ?? 'record';
  const keyOf = (id: string): string => sources.find((source) => source.id === id)?.key ?? '';
  return (
    <div className="tie" aria-live="polite">
      <h3>
        {labelOf(link.a)} <span className="soft">{keyOf(link.a)}</span> and {labelOf(link.b)}{' '}
        <span className="soft">{keyOf(link.b)}</span>
      </h3>
      <Waterfall explanation={link.explanation} />
      {decides && (
        <div className="row tie-actions">
          <Button
            variant="default"
            size="xs"
            leftSection={<IconArrowsSplit2 size={16} aria-hidden />}
            onClick={() => onTakeOut(link.b)}
          >
            Break: take {keyOf(link.b) || labelOf(link.b)} out
          </Button>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconBan size={16} aria-hidden />}
            onClick={() => onNever(link.a, link.b)}
          >
            Never link these two
          </Button>
        </div>
      )}
    </div>
  );
}

interface LinkTableProps {
  readonly detail: ClientDetailReply;
  readonly selected: string | undefined;
  readonly onSelect: (key: string) => void;
}

function LinkTable({ detail, selected, onSelect }: LinkTableProps): ReactNode {
  const nameOf = (id: string): string => {
    const source = detail.sources.find((one) => one.id === id);
    return source ? `${source.domainLabel} ${source.key ?? ''}` : id;
  };
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th scope="col">Records</th>
          <th scope="col">Grade</th>
          <th scope="col" data-align="end">
            Score
          </th>
        </tr>
      </thead>
      <tbody>
        {detail.links.map((link) => (
          <tr key={linkKey(link)}>
            <th scope="row">
              <button
                type="button"
                className="link-like"
                aria-pressed={selected === linkKey(link)}
                onClick={() => onSelect(linkKey(link))}
              >
                {nameOf(link.a)} and {nameOf(link.b)}
              </button>
            </th>
            <td>{gradeWords(link.explanation.grade)}</td>
            <td data-align="end">{scoreText(link.explanation.score)}</td>
          </tr>
        ))}
        {detail.neverLinked.map((pair) => (
          <tr key={`never ${linkKey(pair)}`}>
            <th scope="row">
              {nameOf(pair.a)} and {nameOf(pair.b)}
            </th>
            <td>Never to be linked</td>
            <td data-align="end">—</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
