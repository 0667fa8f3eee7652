import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';
import { useOnTop } from './dialog.tsx';

export interface SideDrawerProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly width?: string;
}

/** Details beside a list. Its address is the page's business; focus goes in and comes back, Escape closes. */
export function SideDrawer({ title, onClose, children, width = '34rem' }: SideDrawerProps): ReactNode {
  const { here, close } = useOnTop(onClose);
  return (
    <Drawer opened onClose={close} title={title} size={`min(100vw, ${width})`}>
      <span ref={here} hidden />
      {children}
    </Drawer>
  );
}
