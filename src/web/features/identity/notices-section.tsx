import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api } from '../../app/api.ts';
import { useDraft } from '../../app/drafts.ts';
import { roleName } from '../../app/words.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Tag } from '../../ui/bits.tsx';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { noticeList, SECTION_PAGE } from './policy-queries.ts';
import { useOwnRoleNames, useRoleChoices } from './role-choices.ts';

/** What people must have read before they go on, and how many have. */
export function NoticesSection(): ReactNode {
  const queries = useQueryClient();
  const [offset, setOffset] = useState(0);
  const list = useQuery(noticeList(offset));
  const own = useOwnRoleNames();
  const [writing, setWriting] = useState(false);
  const forget = (): Promise<void> => queries.invalidateQueries({ queryKey: ['notices'] });
  const withdraw = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/notices/${id}`),
    onSuccess: forget,
  });
  return (
    <Section
      title="Notices"
      note="Shown at sign-in until it was acknowledged; who did is recorded."
      aside={
        <Button variant="default" size="xs" onClick={() => setWriting(true)}>
          Write a notice
        </Button>
      }
    >
      {list.isPending && <ListSkeleton rows={2} />}
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {withdraw.isError && <FailureNotice error={withdraw.error} focus />}
      {list.data?.total === 0 && <p className="soft">There is none yet.</p>}
      <ul className="sessions">
        {list.data?.notices.map((one) => (
          <li key={one.id}>
            <div>
              <strong>
                <Own>{one.title}</Own>
              </strong>{' '}
              {one.withdrawn && <Tag tone="quiet">withdrawn</Tag>}
              <div className="soft small">
                <Moment iso={one.createdAt} />, for{' '}
                {one.roles.length === 0 ? 'everybody' : one.roles.map((role) => roleName(role, own)).join(', ')},
                acknowledged by {one.acknowledged}
              </div>
            </div>
            {!one.withdrawn && (
              <Button
                variant="default"
                size="xs"
                aria-label={`Withdraw: ${one.title}`}
                onClick={() => withdraw.mutate(one.id)}
              >
                Withdraw
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Pager label="notices" offset={offset} page={SECTION_PAGE} total={list.data?.total ?? 0} onMove={setOffset} />
      {writing && <WriteNotice onClose={() => setWriting(false)} onDone={forget} />}
    </Section>
  );
}

interface WriteProps {
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

function WriteNotice({ onClose, onDone }: WriteProps): ReactNode {
  const [title, setTitle, clearTitle] = useDraft('notice-title');
  const [text, setText, clearText] = useDraft('notice-text');
  const [roles, setRoles] = useState<string[]>([]);
  const choices = useRoleChoices();
  const publish = useMutation({
    mutationFn: () => api.act('POST', '/api/notices', { title: title.trim(), text: text.trim(), roles }),
    onSuccess: async () => {
      clearTitle();
      clearText();
      await onDone();
      onClose();
    },
  });
  const fits = title.trim() !== '' && text.trim() !== '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (fits) publish.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title="Write a notice" size="lg">
      <form className="stack" onSubmit={submit} noValidate>
        {publish.isError && <FailureNotice error={publish.error} focus />}
        <TextInput
          data-autofocus
          label="Title"
          maxLength={120}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Textarea
          label="Text"
          autosize
          minRows={4}
          maxRows={14}
          maxLength={4000}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Checkbox.Group label="For" description="None chosen: everybody" value={roles} onChange={setRoles}>
          <div className="roles">
            {choices.map(({ value, label }) => (
              <Checkbox key={value} value={value} label={label} />
            ))}
          </div>
        </Checkbox.Group>
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!fits} loading={publish.isPending}>
            Publish
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
