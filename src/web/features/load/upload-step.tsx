import { Button, Progress } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { UploadView } from '../../../features/load/wire.ts';
import { upload } from '../../app/api.ts';
import { IconUpload } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { bytesText } from '../../ui/text.tsx';

function contentTypeOf(file: File): string {
  return /\.(ndjson|jsonl|json)$/i.test(file.name) ? 'application/fhir+ndjson' : 'text/csv';
}

function useUpload(onUploaded: (view: UploadView) => void) {
  const abort = useRef<AbortController>(undefined);
  const [sent, setSent] = useState({ bytes: 0, of: 0 });
  const send = useMutation({
    mutationFn: (file: File) => {
      abort.current = new AbortController();
      setSent({ bytes: 0, of: file.size });
      return upload({
        path: '/api/loads/uploads',
        file,
        contentType: contentTypeOf(file),
        schema: UploadView,
        signal: abort.current.signal,
        onProgress: (bytes) => setSent({ bytes, of: file.size }),
      });
    },
    onSuccess: onUploaded,
  });
  return { send, sent, stop: () => abort.current?.abort() };
}

interface UploadStepProps {
  readonly onUploaded: (view: UploadView) => void;
  /** What happens to the file, in sentences. */
  readonly assurances?: readonly string[];
  /** Which files it may be. */
  readonly hint?: string;
}

/** By drop or by choice. A large file shows how much has gone up, and can be stopped. */
export function UploadStep({ onUploaded, assurances = ASSURANCES, hint = HINT }: UploadStepProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const { send, sent, stop } = useUpload(onUploaded);
  const take = (files: FileList | null): void => {
    const file = files?.[0];
    if (file && !send.isPending) send.mutate(file);
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const stopped = send.error instanceof DOMException && send.error.name === 'AbortError';
  return (
    <div className="stack">
      {send.isError && !stopped && <FailureNotice error={send.error} focus />}
      {stopped && (
        <Notice tone="info" live>
          <p>Stopped. Nothing was kept.</p>
        </Notice>
      )}
      <div
        className="drop"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        {send.isPending ? (
          <Sending sent={sent} onStop={stop} />
        ) : (
          <>
            <IconUpload size={28} stroke={1.6} aria-hidden />
            <p>
              <strong>Drop the file here</strong>
            </p>
            <Button onClick={() => input.current?.click()}>Choose a file</Button>
            <p className="soft small">{hint}</p>
          </>
        )}
        <input
          ref={input}
          type="file"
          accept=".csv,.tsv,.txt,.ndjson,.jsonl,text/csv,application/x-ndjson,application/fhir+ndjson"
          className="visually-hidden"
          tabIndex={-1}
          aria-label="File of clients"
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = '';
          }}
        />
      </div>
      <ul className="assurances">
        {assurances.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </div>
  );
}

interface SendingProps {
  readonly sent: { readonly bytes: number; readonly of: number };
  readonly onStop: () => void;
}

function Sending({ sent, onStop }: SendingProps): ReactNode {
  return (
    <div className="drop-progress">
      <p role="status">
        {sent.bytes < sent.of ? `Sending: ${bytesText(sent.bytes)} of ${bytesText(sent.of)}` : 'Reading the first rows'}
      </p>
      <Progress value={sent.of === 0 ? 100 : (sent.bytes / sent.of) * 100} aria-label="Upload" />
      <Button variant="default" size="xs" onClick={onStop}>
        Stop
      </Button>
    </div>
  );
}

const HINT = 'CSV with names in the first row, or NDJSON with one FHIR Patient per line.';
const ASSURANCES = [
  'The file goes to this server only, encrypted on the way, and is deleted when the load is finished.',
  'Loading the same file again changes nothing, so a broken connection does no harm.',
  'A row that cannot be read is put aside with the reason; the others go on.',
];
