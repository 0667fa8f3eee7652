import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { UserLinkAnswer } from '../../../features/identity/wire.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Exact } from '../../ui/bits.tsx';
import { Moment, Own } from '../../ui/text.tsx';

/** The one-time link: shown once, to whoever made it. */
export function UserLinkDialog({
  answer,
  onClose,
}: {
  readonly answer: UserLinkAnswer;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Dialog opened onClose={onClose} title="Hand over this link" size="lg" closeOnClickOutside={false}>
      <div className="dialog-words">
        <p>
          {answer.link.includes('/factor#') ? (
            <>
              With it and the password, <Own strong>{answer.user.name}</Own> connects another second factor.
            </>
          ) : (
            <>
              With it, <Own strong>{answer.user.name}</Own> chooses a password and connects a second factor.
            </>
          )}{' '}
          It works once, until <Moment iso={answer.expiresAt} />, and is shown only now.
        </p>
        <p>
          {answer.mailed
            ? 'It is also on its way by e-mail. '
            : 'Give it over a way you trust: whoever has it acts as this person. '}
          Links that reset are never sent by e-mail, because a mailbox is not a way to prove who somebody is.
        </p>
      </div>
      <Exact text={answer.link} what="the link" />
      <div className="dialog-actions">
        <Button onClick={onClose}>Done</Button>
      </div>
    </Dialog>
  );
}
