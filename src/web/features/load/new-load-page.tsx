import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { IconArrowLeft } from '../../ui/icons.ts';
import { Page } from '../../ui/page.tsx';
import { type LoadDraft, loadDraft } from './load-queries.ts';
import { MappingStep } from './mapping-step.tsx';
import { UploadStep } from './upload-step.tsx';
import './load.css';

/** Choose a file, say what its columns are, look at the first rows, start. */
export function NewLoadPage(): ReactNode {
  const queries = useQueryClient();
  const { data: draft } = useQuery(loadDraft);
  const change = (next: LoadDraft | null): void => {
    queries.setQueryData(loadDraft.queryKey, next);
  };
  return (
    <Page
      title="Load a file"
      sentence={
        draft
          ? 'Say what each column is. Nothing is kept until you start.'
          : 'A spreadsheet saved as CSV, or FHIR Patients as NDJSON. You see the first rows before anything is kept.'
      }
      above={
        <Link to="/load" className="back">
          <IconArrowLeft size={16} aria-hidden /> Loads
        </Link>
      }
      width={draft ? 'wide' : 'reading'}
    >
      {draft ? (
        <MappingStep key={draft.upload.uploadId} draft={draft} onChange={change} />
      ) : (
        <UploadStep onUploaded={(upload) => change({ upload, map: upload.guess, domain: '' })} />
      )}
    </Page>
  );
}
