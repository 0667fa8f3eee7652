import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';

export interface SideDrawerProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly width?: string;
}

/** Details beside a list. Its address is the page's business; focus goes in and comes back, Escape closes. */
export function SideDrawer({ title, onClose, children, width = '34rem' }: SideDrawerProps): ReactNode {
  return (
    <Drawer opened onClose={onClose} title={title} size={`min(100vw, ${width})`}>
      {children}
    </Drawer>
  );
}
