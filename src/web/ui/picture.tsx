import { SegmentedControl } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import './picture.css';

export interface PictureProps {
  /** Says what the picture shows; also names the choice between picture and table. */
  readonly title: string;
  readonly picture: ReactNode;
  readonly table: ReactNode;
  readonly note?: ReactNode;
}

/** A drawing with its table beside it: whoever cannot or does not want to look reads the same facts. */
export function Picture({ title, picture, table, note }: PictureProps): ReactNode {
  const [view, setView] = useState<'picture' | 'table'>('picture');
  return (
    <figure className="picture">
      <figcaption>
        <span>{title}</span>
        <SegmentedControl
          size="xs"
          aria-label={`${title}: show as`}
          value={view}
          onChange={(value) => setView(value === 'table' ? 'table' : 'picture')}
          data={[
            { value: 'picture', label: 'Picture' },
            { value: 'table', label: 'Table' },
          ]}
        />
      </figcaption>
      {view === 'picture' ? picture : table}
      {note !== undefined && <p className="picture-note">{note}</p>}
    </figure>
  );
}
