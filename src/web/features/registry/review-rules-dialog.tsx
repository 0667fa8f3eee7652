import { Button, Modal, Radio } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type ReviewRules, reviewRules } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { reviewRulesQuery } from './review-queries.ts';

const CHOICES = [
  {
    value: 'never',
    label: 'One person is enough',
    about: 'Quickest. Every decision is in the log and can be taken back.',
  },
  {
    value: 'merges',
    label: 'When two clients of several records each become one',
    about: 'A wrong link there mixes two histories. A lone new record still needs one person only.',
  },
  { value: 'always', label: 'For every link', about: 'Safest, and twice the work.' },
] as const;

/** Which links a second person has to agree to. */
export function ReviewRulesDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const rules = useQuery(reviewRulesQuery);
  return (
    <Modal opened onClose={onClose} title="When does a link need a second person?" size="lg">
      {rules.isError && <FailureNotice error={rules.error} onRetry={() => void rules.refetch()} />}
      {rules.isSuccess && <RulesForm present={rules.data} onClose={onClose} />}
    </Modal>
  );
}

function RulesForm({ present, onClose }: { readonly present: ReviewRules; readonly onClose: () => void }): ReactNode {
  const [chosen, setChosen] = useState<ReviewRules['secondPerson']>(present.secondPerson);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => api.send('PUT', '/api/review-rules', reviewRules, { secondPerson: chosen }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['reviews'] });
      onClose();
    },
  });
  return (
    <div className="stack">
      <p>
        The first person’s answer is kept as a proposal. Somebody else sees it under “To agree to” and decides. Saying
        that two records are different people never needs a second person.
      </p>
      <Radio.Group
        aria-label="When a second person is needed"
        value={chosen}
        onChange={(value) => setChosen(CHOICES.find((one) => one.value === value)?.value ?? chosen)}
      >
        <div className="stack">
          {CHOICES.map(({ value, label, about }) => (
            <Radio key={value} value={value} label={label} description={about} />
          ))}
        </div>
      </Radio.Group>
      {save.isError && <FailureNotice error={save.error} focus />}
      <div className="row">
        <Button loading={save.isPending} disabled={chosen === present.secondPerson} onClick={() => save.mutate()}>
          Save
        </Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </div>
  );
}
