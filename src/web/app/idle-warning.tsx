import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { minutes } from './words.ts';

export interface IdleWarningProps {
  readonly left: number;
  readonly onStay: () => void;
  readonly onLeave: () => void;
}

/** Asks whoever walked away; nothing but an answer or the time ends it. */
export function IdleWarning({ left, onStay, onLeave }: IdleWarningProps): ReactNode {
  return (
    <Modal
      opened
      onClose={onStay}
      title="Still there?"
      size="sm"
      withCloseButton={false}
      overlayProps={{ backgroundOpacity: 1, color: 'var(--cs-ground)' }}
    >
      <p className="dialog-words">
        Nobody moved for a while. You will be signed out in <strong className="numbers">{minutes(left)}</strong>. What
        you typed on this page is kept.
      </p>
      <div className="dialog-actions">
        <Button variant="default" onClick={onLeave}>
          Sign out now
        </Button>
        <Button data-autofocus onClick={onStay}>
          Stay signed in
        </Button>
      </div>
    </Modal>
  );
}
