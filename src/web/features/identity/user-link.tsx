import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import type { UserLinkAnswer } from '../../../features/identity/wire.ts';
import { Exact } from '../../ui/bits.tsx';
import { Moment, Own } from '../../ui/text.tsx';

/** The one-time link: shown once, to whoever made it. Careseal sends no mail. */
export function UserLinkDialog({
  answer,
  onClose,
}: {
  readonly answer: UserLinkAnswer;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal opened onClose={onClose} title="Hand over this link" size="lg" closeOnClickOutside={false}>
      <div className="dialog-words">
        <p>
          With it, <Own strong>{answer.user.name}</Own> chooses a password and connects a second factor. It works once,
          until <Moment iso={answer.expiresAt} />, and is shown only now.
        </p>
        <p>
          Give it over a way you trust: whoever has it gets the account. Careseal does not send it, because e-mail is
          not a way to prove who somebody is.
        </p>
      </div>
      <Exact text={answer.link} what="the link" />
      <div className="dialog-actions">
        <Button onClick={onClose}>Done</Button>
      </div>
    </Modal>
  );
}
