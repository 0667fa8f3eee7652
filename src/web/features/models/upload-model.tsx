import { Button, FileInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { addedReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';

/** Brings a model document from elsewhere: `careseal model train`, another registry, OpenCR's rules. */
export function UploadModel(): ReactNode {
  const queries = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const add = useMutation({
    mutationFn: async (chosen: File) => {
      const document: unknown = JSON.parse(await chosen.text());
      return await api.send('POST', '/api/models', addedReply, { document });
    },
    onSuccess: () => {
      setFile(null);
      return queries.invalidateQueries({ queryKey: ['models'] });
    },
  });
  return (
    <Section
      title="Bring a model"
      note="A document that “careseal model train” or “careseal import opencr” has written. It is checked: one that would link made-up strangers is refused."
    >
      <div className="model-form">
        <FileInput
          label="Model document (JSON)"
          placeholder="Choose a file"
          accept="application/json,.json"
          value={file}
          onChange={setFile}
        />
        <Button
          variant="default"
          loading={add.isPending}
          disabled={file === null}
          onClick={() => file !== null && add.mutate(file)}
        >
          Add it
        </Button>
      </div>
      {add.isError && <FailureNotice error={add.error} focus />}
      {add.isSuccess && (
        <Notice tone="info" title={`${add.data.model.version} is kept`}>
          <p>It decides nothing yet. Open it above and simulate it.</p>
        </Notice>
      )}
    </Section>
  );
}
