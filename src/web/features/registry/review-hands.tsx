import { Button, Menu } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { reviewAssignReply, reviewersReply, type ReviewSummary } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { useSession } from '../../app/session.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { IconUsers } from '../../ui/icons.ts';
import { LookUp, type LookUpProps } from '../../ui/look-up.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Own } from '../../ui/text.tsx';
import { forgetReviews, reviewers } from './review-queries.ts';

/** Who works on this pair; take it, hand it on, or give it back. */
export function ReviewHands({ review }: { readonly review: ReviewSummary }): ReactNode {
  const { user } = useSession();
  const queries = useQueryClient();
  const colleagues = useQuery({ ...reviewers, enabled: false });
  const assign = useMutation({
    mutationFn: (to: string | undefined) =>
      api.send('POST', '/api/reviews/assign', reviewAssignReply, { reviews: [review.id], ...(to ? { to } : {}) }),
    onSuccess: () => forgetReviews(queries),
  });
  const [finding, setFinding] = useState(false);
  const { assignee } = review;
  const others = (colleagues.data?.reviewers ?? []).filter((one) => one.id !== user.id);
  return (
    <div className="review-hands">
      <Menu onOpen={() => void colleagues.refetch()} position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconUsers size={17} aria-hidden />} loading={assign.isPending}>
            {assignee === undefined ? 'With nobody yet' : assignee.isMe ? 'With you' : <Own>{assignee.name}</Own>}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {assignee?.isMe !== true && <Menu.Item onClick={() => assign.mutate(user.id)}>Take it</Menu.Item>}
          {assignee !== undefined && <Menu.Item onClick={() => assign.mutate(undefined)}>Give it back</Menu.Item>}
          {others.length > 0 && <Menu.Label>Hand it to</Menu.Label>}
          {others.map(({ id, name }) => (
            <Menu.Item key={id} onClick={() => assign.mutate(id)}>
              <Own>{name}</Own>
            </Menu.Item>
          ))}
          {colleagues.data?.more === true && <Menu.Item onClick={() => setFinding(true)}>Somebody else …</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {finding && (
        <FindColleague
          onClose={() => setFinding(false)}
          onChosen={(id) => {
            setFinding(false);
            assign.mutate(id);
          }}
        />
      )}
      {assign.isError && <FailureNotice error={assign.error} focus />}
    </div>
  );
}

/** Where there are more colleagues than a menu holds: found by name. */
function FindColleague({
  onClose,
  onChosen,
}: {
  readonly onClose: () => void;
  readonly onChosen: (id: string) => void;
}): ReactNode {
  const [chosen, setChosen] = useState<string>();
  return (
    <Dialog opened onClose={onClose} title="Hand it to">
      <div className="stack">
        <LookUp
          label="Colleague"
          focused
          value={chosen}
          onChange={setChosen}
          search={searchReviewers}
          nothing="Nobody of this name may decide it"
        />
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button disabled={chosen === undefined} onClick={() => chosen !== undefined && onChosen(chosen)}>
            Hand it over
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

const searchReviewers: LookUpProps['search'] = (text) => ({
  queryKey: ['reviews', 'reviewers', text],
  queryFn: async ({ signal }) => {
    const found = await api.send('POST', '/api/reviewers/search', reviewersReply, { text }, { signal });
    return found.reviewers.map(({ id, name }) => ({ value: id, label: name }));
  },
});

/** Whose proposal waits here, and what that means for the reader. */
export function Proposal({ proposedBy }: { readonly proposedBy: NonNullable<ReviewSummary['proposedBy']> }): ReactNode {
  if (proposedBy.isMe)
    return (
      <Notice tone="info" title="You said: one person. A second person has to agree.">
        <p>Until then nothing is linked. You can take it back with “Different people”, or leave it to a colleague.</p>
      </Notice>
    );
  return (
    <Notice tone="amber" title={<>{proposedBy.name} says: one person. Do you agree?</>}>
      <p>Look for yourself first. Linking needs both of you; either of you can say that they are different people.</p>
    </Notice>
  );
}
