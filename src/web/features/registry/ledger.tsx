import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { LedgerEntryView } from '../../../features/registry/wire.ts';
import {
  IconArrowBackUp,
  IconArrowsExchange,
  IconArrowsSplit2,
  IconBan,
  IconGitMerge,
  IconLink,
  IconPlus,
  IconTool,
} from '../../ui/icons.ts';
import { plural } from '../../app/words.ts';
import { Moment, scoreText } from '../../ui/text.tsx';

const ICONS = {
  created: IconPlus,
  linked: IconLink,
  unlinked: IconArrowsSplit2,
  merged: IconGitMerge,
  unmerged: IconArrowBackUp,
  'never-link': IconBan,
  'review-opened': IconArrowsExchange,
  'review-decided': IconArrowsExchange,
  'decision-undone': IconArrowBackUp,
  repaired: IconTool,
} as const;

const ACTOR_WORDS: Readonly<Record<string, string>> = { system: 'Careseal', node: 'node', operator: 'command line' };

const FIRST_SHOWN = 6;

/** The link ledger of one person, newest first: every decision with who made it and why. Nothing is ever removed. */
export function Ledger({
  entries,
  onUndo,
}: {
  readonly entries: readonly LedgerEntryView[];
  /** Given to who may take a decision back. */
  readonly onUndo?: ((entryId: string) => void) | undefined;
}): ReactNode {
  const newest = entries.toSorted((a, b) => b.at.localeCompare(a.at));
  const [all, setAll] = useState(false);
  const hidden = all ? 0 : Math.max(0, newest.length - FIRST_SHOWN);
  return (
    <>
      <LedgerList
        entries={hidden > 0 ? newest.slice(0, FIRST_SHOWN) : newest}
        undone={new Set(entries.flatMap((entry) => entry.undoes ?? []))}
        onUndo={onUndo}
      />
      {hidden > 0 && (
        <Button variant="default" size="xs" onClick={() => setAll(true)}>
          Show {plural(hidden, 'older entry', 'older entries')}
        </Button>
      )}
    </>
  );
}

interface LedgerListProps {
  readonly entries: readonly LedgerEntryView[];
  /** Entries that another one has taken back. */
  readonly undone: ReadonlySet<string>;
  readonly onUndo: ((entryId: string) => void) | undefined;
}

function LedgerList({ entries, undone, onUndo }: LedgerListProps): ReactNode {
  return (
    <ol className="ledger">
      {entries.map((entry) => {
        const Icon = ICONS[entry.kind];
        return (
          <li key={entry.entryId}>
            <span className="ledger-icon" aria-hidden>
              <Icon size={15} />
            </span>
            <div>
              <p>
                {entry.text}
                {entry.score !== undefined && <span className="soft"> ({scoreText(entry.score)})</span>}
                {entry.otherGoldenId !== undefined && (
                  <>
                    {' '}
                    <Link to="/clients/$id" params={{ id: entry.otherGoldenId }}>
                      the other client
                    </Link>
                  </>
                )}
              </p>
              {entry.reason !== undefined && <p className="ledger-reason">“{entry.reason}”</p>}
              <p className="small soft">
                {entry.actor.name}
                {ACTOR_WORDS[entry.actor.kind] !== undefined &&
                  ACTOR_WORDS[entry.actor.kind] !== entry.actor.name &&
                  ` (${ACTOR_WORDS[entry.actor.kind]})`}
                , <Moment iso={entry.at} />
              </p>
              {undone.has(entry.entryId) && <p className="small soft">Taken back since.</p>}
              {onUndo && !undone.has(entry.entryId) && (entry.kind === 'unlinked' || entry.kind === 'never-link') && (
                <Button variant="subtle" size="compact-xs" onClick={() => onUndo(entry.entryId)}>
                  Take back
                </Button>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
