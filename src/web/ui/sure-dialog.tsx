import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { FailureNotice } from './notice.tsx';
import { Dialog } from './dialog.tsx';

export interface SureDialogProps {
  readonly title: string;
  /** What the button does, in a word or two. */
  readonly confirm: string;
  readonly busy: boolean;
  /** Why it was not done; null or undefined: nothing went wrong. */
  readonly error?: unknown;
  readonly onClose: () => void;
  readonly onSure: () => void;
  /** What happens, and what stays. */
  readonly children: ReactNode;
}

/** Asks before something that others feel at once. Cancel has the focus. */
export function SureDialog({ title, confirm, busy, error, onClose, onSure, children }: SureDialogProps): ReactNode {
  return (
    <Dialog opened onClose={onClose} title={title}>
      <div className="dialog-words">{children}</div>
      {error !== undefined && error !== null && <FailureNotice error={error} focus />}
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button color="red" loading={busy} onClick={onSure}>
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}
