import { Drawer } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { NavigationEntry } from './navigation.ts';

export interface MorePlacesProps {
  readonly entries: readonly NavigationEntry[];
  readonly open: boolean;
  readonly onClose: () => void;
}

/** Where else a phone's rail leads: what does not fit into the bar. */
export function MorePlaces({ entries, open, onClose }: MorePlacesProps): ReactNode {
  return (
    <Drawer opened={open} onClose={onClose} position="bottom" size="auto" title="More">
      <ul className="more-list">
        {entries.map((entry) => (
          <li key={entry.to}>
            <Link to={entry.to} onClick={onClose}>
              <entry.icon size={22} stroke={1.7} aria-hidden />
              <span>
                {entry.name}
                <small>{entry.about}</small>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Drawer>
  );
}
