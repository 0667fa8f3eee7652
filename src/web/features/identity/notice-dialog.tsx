import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { PendingNoticesAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { useLeave } from '../../app/leave.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import './people.css';

/** One notice, over everything: acknowledged, or signed out. */
export function NoticeDialog({ notice }: { readonly notice: PendingNoticesAnswer['notices'][number] }): ReactNode {
  const queries = useQueryClient();
  const leave = useLeave();
  const acknowledge = useMutation({
    mutationFn: () => api.act('POST', `/api/notices/${notice.id}/acknowledge`),
    // Everything: what was refused for want of this is asked again.
    onSuccess: () => queries.invalidateQueries(),
  });
  return (
    <Dialog
      opened
      onClose={() => undefined}
      title={<Own>{notice.title}</Own>}
      size="lg"
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      overlayProps={{ backgroundOpacity: 1, color: 'var(--cs-ground)' }}
    >
      <div className="notice-text">
        <Own>{notice.text}</Own>
      </div>
      <p className="soft small">
        Published <Moment iso={notice.createdAt} />. That you have read it is recorded.
      </p>
      {acknowledge.isError && <FailureNotice error={acknowledge.error} focus />}
      <div className="dialog-actions">
        <Button variant="default" onClick={() => void leave(undefined)}>
          Sign out
        </Button>
        <Button data-autofocus loading={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
          I have read it
        </Button>
      </div>
    </Dialog>
  );
}
