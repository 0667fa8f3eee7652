import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../app/api.ts';
import { saveBlob } from '../../app/save-file.ts';
import { IconDownload } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';

export interface SaveAnswerProps {
  readonly path: string;
  readonly body: () => Record<string, unknown>;
  /** Says what it is, never whom it is about. */
  readonly fileName: string;
}

/** The same list as a file, made by the server so that it is whole; each one is in the log. */
export function SaveAnswer({ path, body, fileName }: SaveAnswerProps): ReactNode {
  const save = useMutation({
    mutationFn: async (format: 'csv' | 'pdf') => {
      saveBlob(`${fileName}.${format}`, await api.file('POST', path, { ...body(), format }));
    },
  });
  return (
    <>
      <div className="row">
        {(['csv', 'pdf'] as const).map((format) => (
          <Button
            key={format}
            variant="default"
            leftSection={<IconDownload size={17} aria-hidden />}
            loading={save.isPending && save.variables === format}
            onClick={() => save.mutate(format)}
          >
            {format.toUpperCase()}
          </Button>
        ))}
      </div>
      {save.isError && <FailureNotice error={save.error} focus failed="The file could not be made." />}
    </>
  );
}
