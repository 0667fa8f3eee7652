import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { WaitingUpload } from '../../../features/load/wire.ts';
import { api } from '../../app/api.ts';
import { type Column, ListTable } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { SureDialog } from '../../ui/sure-dialog.tsx';
import { Ago, bytesText, Moment, Own } from '../../ui/text.tsx';
import { loadDraft, waitingUploads } from './load-queries.ts';

const columns: readonly Column<WaitingUpload>[] = [
  {
    key: 'file',
    header: 'File',
    width: 'minmax(9rem, 2fr)',
    phone: 'title',
    cell: ({ fileName }) => <Own>{fileName}</Own>,
  },
  { key: 'size', header: 'Size', width: '6rem', align: 'end', phone: 'side', cell: (one) => bytesText(one.sizeBytes) },
  {
    key: 'state',
    header: 'State',
    width: '12rem',
    phone: 'line',
    cell: ({ busy }) => (busy ? 'being loaded' : <span className="soft">waits, nothing is loaded</span>),
  },
  {
    key: 'until',
    header: 'Forgotten',
    width: '13rem',
    wideOnly: true,
    phone: 'hide',
    cell: ({ expiresAt }) => <Moment iso={expiresAt} />,
  },
  { key: 'sent', header: 'Sent', width: '7.5rem', phone: 'corner', cell: ({ uploadedAt }) => <Ago iso={uploadedAt} /> },
];

/** Files that were sent and not loaded: the wrong one goes before its day is over. */
export function WaitingFiles(): ReactNode {
  const list = useQuery(waitingUploads);
  const [chosen, setChosen] = useState<WaitingUpload | undefined>();
  const rows = list.data?.uploads ?? [];
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (rows.length === 0) return null;
  return (
    <Section
      title="Files that were sent"
      note="They lie here sealed until they are loaded, a day at most. Choose one to delete it now."
    >
      <ListTable
        label="Files that were sent"
        columns={columns}
        rows={rows}
        rowKey={({ uploadId }) => uploadId}
        renderOpen={(one, content) => (
          <button
            type="button"
            className="row-link"
            disabled={one.busy}
            aria-label={`Delete the file ${one.fileName}`}
            onClick={() => setChosen(one)}
          >
            {content}
          </button>
        )}
      />
      {chosen !== undefined && <DeleteFile file={chosen} onClose={() => setChosen(undefined)} />}
    </Section>
  );
}

function DeleteFile({ file, onClose }: { readonly file: WaitingUpload; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.act('DELETE', `/api/loads/uploads/${file.uploadId}`),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: ['loads', 'uploads'] });
      // One that is being prepared on another page is left, unless it is this one.
      queries.setQueryData(loadDraft.queryKey, (draft) => (draft?.upload.uploadId === file.uploadId ? null : draft));
      onClose();
    },
  });
  return (
    <SureDialog
      title="Delete the file"
      confirm="Delete"
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onSure={() => remove.mutate()}
    >
      <p>
        <Own strong>{file.fileName}</Own> is deleted from this server at once. Clients that an earlier load of it
        registered stay as they are.
      </p>
    </SureDialog>
  );
}
