import { Button, Checkbox, NumberInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type ModelsReply, studyReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { plural } from '../../app/words.ts';

/** Trains a model on the registry's own records. */
export function TrainForm({ data }: { readonly data: ModelsReply }): ReactNode {
  const queries = useQueryClient();
  const [version, setVersion] = useState('');
  const [notes, setNotes] = useState('');
  const [records, setRecords] = useState<number | string>(200_000);
  const [labels, setLabels] = useState(false);
  const train = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/models/train', studyReply, { version, notes, labels, recordsMax: Number(records) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const { same, different, needed } = data.labels;
  const missing = Math.max(0, needed - same) + Math.max(0, needed - different);
  return (
    <Section
      title="Train on your own records"
      note="Nobody has to label anything: the program finds out what records of one person have in common. The model is kept and decides nothing until it is promoted."
    >
      <form
        className="model-form"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          train.mutate();
        }}
      >
        <TextInput
          label="Name of the model"
          description="Letters, digits, dots, dashes: kampala-1"
          value={version}
          maxLength={60}
          onChange={({ currentTarget }) => setVersion(currentTarget.value)}
        />
        <TextInput
          label="Notes"
          value={notes}
          maxLength={2000}
          onChange={({ currentTarget }) => setNotes(currentTarget.value)}
        />
        <NumberInput
          label="Records at most"
          description={`${data.records.toLocaleString()} are here; more are drawn by chance`}
          min={1000}
          max={400_000}
          step={10_000}
          thousandSeparator=","
          value={records}
          onChange={setRecords}
        />
        <Checkbox
          label="Use what stewards decided besides"
          description={
            missing === 0
              ? `${plural(same, 'pair', 'pairs')} found to be one person, ${different.toLocaleString()} two people`
              : `${same.toLocaleString()} pairs of one person and ${different.toLocaleString()} of two people are decided; ${missing.toLocaleString()} are missing (${needed} of each)`
          }
          disabled={missing > 0}
          checked={labels}
          onChange={({ currentTarget }) => setLabels(currentTarget.checked)}
        />
        <Button type="submit" loading={train.isPending} disabled={version === '' || records === ''}>
          Train
        </Button>
      </form>
      {train.isError && <FailureNotice error={train.error} focus />}
    </Section>
  );
}
