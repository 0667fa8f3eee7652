import { Modal, type ModalProps } from '@mantine/core';
import { type ReactNode, type RefObject, useRef } from 'react';

/** Closes only what lies on top: Mantine tells every open dialog of Escape, and a form under a question would go with it. */
export function useOnTop(onClose: () => void): { readonly here: RefObject<HTMLSpanElement | null>; close(): void } {
  const here = useRef<HTMLSpanElement>(null);
  const close = (): void => {
    const own = here.current?.closest('[role="dialog"]');
    if ([...document.querySelectorAll('[role="dialog"]')].at(-1) === own) onClose();
  };
  return { here, close };
}

/** Mantine's dialog, which may have another above it. */
export function Dialog({ onClose, children, ...props }: ModalProps): ReactNode {
  const { here, close } = useOnTop(onClose);
  return (
    <Modal {...props} onClose={close}>
      <span ref={here} hidden />
      {children}
    </Modal>
  );
}
