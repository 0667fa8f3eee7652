import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { dayBefore } from './report-queries.ts';

/** Something was given to somebody outside of Careseal: on paper, by telephone. It stands in the log from then on. */
export function DisclosureDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const [form, setForm] = useState({ to: '', what: '', why: '', on: dayBefore(0) });
  const set = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const save = useMutation({
    mutationFn: () => api.act('POST', `/api/clients/${id}/disclosures`, form),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['audit', 'disclosures', id] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Tell of a disclosure" size="md">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <p className="dialog-words">It is written into the log and cannot be taken back, only told again.</p>
        <TextInput
          data-autofocus
          label="To whom"
          required
          withAsterisk={false}
          maxLength={200}
          value={form.to}
          onChange={(event) => set({ to: event.currentTarget.value })}
        />
        <Textarea
          label="What"
          required
          withAsterisk={false}
          maxLength={500}
          autosize
          value={form.what}
          onChange={(event) => set({ what: event.currentTarget.value })}
        />
        <Textarea
          label="Why"
          required
          withAsterisk={false}
          maxLength={500}
          autosize
          value={form.why}
          onChange={(event) => set({ why: event.currentTarget.value })}
        />
        <TextInput
          type="date"
          label="On"
          required
          withAsterisk={false}
          max={dayBefore(0)}
          value={form.on}
          onChange={(event) => set({ on: event.currentTarget.value })}
        />
        {save.isError && <FailureNotice error={save.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Write it into the log
          </Button>
        </div>
      </form>
    </Modal>
  );
}
