import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { losesText } from './drafts.ts';
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
        Nobody moved for a while. You will be signed out in <strong className="numbers">{minutes(left)}</strong>.{' '}
        {losesText()
          ? 'Not all that you typed on this page is kept then: stay signed in and save it first.'
          : 'What you typed on this page is kept then, and there again once you have signed in.'}{' '}
        “Sign out now” keeps nothing.
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
