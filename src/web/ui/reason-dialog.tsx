import { Button, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useDraft } from '../app/drafts.ts';
import { FailureNotice } from './notice.tsx';
import { Dialog } from './dialog.tsx';

export interface ReasonDialogProps {
  readonly title: string;
  /** What will happen and what can be undone. */
  readonly children: ReactNode;
  readonly confirm: string;
  readonly danger?: boolean;
  /** Keeps the typed reason while the session is renewed. */
  readonly draftKey: string;
  readonly placeholder?: string;
  readonly onClose: () => void;
  readonly act: (reason: string) => Promise<void>;
}

/** Asks why before something that others will have to understand later. */
export function ReasonDialog(props: ReasonDialogProps): ReactNode {
  const [reason, setReason, clear] = useDraft(props.draftKey);
  const [tried, setTried] = useState(false);
  const mutation = useMutation({
    mutationFn: () => props.act(reason.trim()),
    onSuccess: () => {
      clear();
      props.onClose();
    },
  });
  const tooShort = reason.trim().length < 3;
  return (
    <Dialog opened onClose={props.onClose} title={props.title} size="md">
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!tooShort) mutation.mutate();
        }}
      >
        <div className="dialog-words">{props.children}</div>
        <Textarea
          data-autofocus
          label="Reason"
          description="Kept with the decision, for whoever looks later. At least three letters."
          placeholder={props.placeholder}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={tried && tooShort ? 'Say in a few words why.' : undefined}
          autosize
          minRows={2}
          maxLength={500}
          required
          withAsterisk={false}
        />
        {mutation.isError && (
          <div className="dialog-failure">
            <FailureNotice error={mutation.error} focus />
          </div>
        )}
        <div className="dialog-actions">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" {...(props.danger ? { color: 'red' } : {})} loading={mutation.isPending}>
            {props.confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
