import { Button, FileInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useEffectEvent } from 'react';
import { z } from 'zod';
import { UserImportAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { saveFile } from '../../app/save-file.ts';
import { plural } from '../../app/words.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { Own } from '../../ui/text.tsx';
import { forgetUsers } from './user-queries.ts';

const OUTCOMES = { invited: 'invited', 'would-invite': 'can be invited', refused: 'refused' } as const;

const ImportDraft = z.object({ name: z.string(), csv: z.string().optional() });

/** The look at the file and the invitations themselves; a file chosen before the session ended is looked at again. */
function useImport(csv: string | undefined, onDone: () => void) {
  const queries = useQueryClient();
  const run = useMutation({
    mutationFn: (request: { readonly csv: string; readonly dryRun: boolean }) =>
      api.send('POST', '/api/users/import', UserImportAnswer, request),
    onSuccess: async (_, { dryRun }) => {
      if (dryRun) return;
      onDone();
      await forgetUsers(queries);
    },
  });
  const look = useEffectEvent(() => {
    if (csv !== undefined) run.mutate({ csv, dryRun: true });
  });
  useEffect(() => look(), []);
  return run;
}

/** Many invitations from one file: looked at first, then made. */
export function ImportDialog({ onClose: leave }: { readonly onClose: () => void }): ReactNode {
  const [{ name, csv }, change, drop] = useDraftForm('import', ImportDraft, { name: '' });
  const run = useImport(csv, drop);
  const onClose = (): void => {
    drop();
    leave();
  };
  const pick = async (file: File | null): Promise<void> => {
    run.reset();
    const text = await file?.text();
    change({ name: file?.name ?? '', csv: text });
    if (text !== undefined) run.mutate({ csv: text, dryRun: true });
  };
  const done = run.isSuccess && !run.variables.dryRun;
  const links = run.data?.rows.filter(({ link }) => link !== undefined) ?? [];
  return (
    <Dialog opened onClose={onClose} title="Invite people from a file" size="xl" closeOnClickOutside={false}>
      <div className="stack">
        {!done && (
          <>
            <p className="dialog-words">
              A CSV file whose first line is <code>name,email,roles</code>; several roles are apart by blanks:{' '}
              <code>steward auditor</code>. You see what would happen before anybody is invited.
            </p>
            <FileInput
              label="File"
              placeholder={name === '' ? 'Choose a CSV file' : name}
              accept=".csv,text/csv"
              onChange={(file) => void pick(file)}
            />
          </>
        )}
        {run.isError && <FailureNotice error={run.error} focus />}
        {done && (
          <Notice tone="done" live title={`${plural(run.data.invited, 'person is', 'people are')} invited`}>
            {links.length > 0 && (
              <p>Their links are shown only now. Save them, and hand each over by a way that only this person reads.</p>
            )}
          </Notice>
        )}
        {run.data && <Rows rows={run.data.rows} />}
        <div className="dialog-actions">
          {links.length > 0 && (
            <Button variant="default" onClick={() => saveFile('invitations.csv', linksFile(links), 'text/csv')}>
              Save the links
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            {done ? 'Done' : 'Cancel'}
          </Button>
          {!done && (
            <Button
              loading={run.isPending}
              disabled={csv === undefined || (run.data?.invited ?? 0) === 0}
              onClick={() => csv !== undefined && run.mutate({ csv, dryRun: false })}
            >
              Invite {run.data === undefined ? '' : plural(run.data.invited, 'person', 'people')}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Rows({ rows }: { readonly rows: UserImportAnswer['rows'] }): ReactNode {
  return (
    <Scroller label="Rows of the file" className="import-rows">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Name</th>
            <th scope="col">E-mail</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.line}>
              <td>{row.line}</td>
              <td>
                <Own>{row.name}</Own>
              </td>
              <td>{row.email}</td>
              <td>
                {OUTCOMES[row.outcome]}
                {row.mailed && ', link sent by e-mail'} {row.reason}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

/** For a spreadsheet: a cell that begins like a formula is kept from being one. */
function linksFile(rows: UserImportAnswer['rows']): string {
  const cell = (text: string): string => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  return ['name,email,link', ...rows.map(({ name, email, link = '' }) => [name, email, link].map(cell).join(','))].join(
    '\r\n',
  );
}
