import { Button, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import type { UploadView } from '../../../features/load/wire.ts';
import { studyReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { IconArrowLeft } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Own } from '../../ui/text.tsx';
import { ColumnTable } from '../load/column-table.tsx';
import { documentOf, type Mapping, mappingOf, withTarget } from '../load/mapping.ts';
import { UploadStep } from '../load/upload-step.tsx';
import { modelsQuery } from './model-queries.ts';
import '../load/load.css';
import './models.css';

/** A file of which somebody knows who is who: what would a model find in it? Nothing is loaded. */
export function EvaluatePage(): ReactNode {
  const [upload, setUpload] = useState<UploadView>();
  return (
    <Page
      title="Judge by a file"
      sentence="A file with a column that says who is the same person shows how well matching works. Nothing is loaded."
      above={
        <Link to="/reviews/models" className="back">
          <IconArrowLeft size={16} aria-hidden /> Matching models
        </Link>
      }
      width={upload ? 'wide' : 'reading'}
    >
      {upload ? (
        <Columns key={upload.uploadId} upload={upload} onForget={() => setUpload(undefined)} />
      ) : (
        <UploadStep
          onUploaded={setUpload}
          assurances={ASSURANCES}
          hint="CSV with the names of the columns in the first row."
        />
      )}
    </Page>
  );
}

const ASSURANCES = [
  'CSV, at most 20 MB and 100,000 rows. The command line (careseal evaluate) takes larger files.',
  'The file goes to this server only, lies there encrypted and in memory, and is deleted when the answer is there.',
  'No client is created, changed or linked by it.',
];
const TRAINED = 'trained';

function Columns({ upload, onForget }: { readonly upload: UploadView; readonly onForget: () => void }): ReactNode {
  const columns = useMemo(() => upload.columns.map(({ name }) => name), [upload]);
  const [mapping, setMapping] = useState<Mapping>(() => mappingOf(upload.guess, columns));
  const [truth, setTruth] = useState<string | null>(null);
  const [model, setModel] = useState(TRAINED);
  const models = useQuery(modelsQuery);
  const begin = useBegin(upload, { mapping, truth, model });
  const named = [...mapping.targets.values()].some(
    (target) => target.kind === 'many' || (target.kind === 'simple' && target.to === 'name'),
  );
  return (
    <div className="models-page">
      <div className="row">
        <Own strong>{upload.fileName}</Own>
        <Button variant="default" size="xs" onClick={onForget}>
          Another file
        </Button>
      </div>
      {upload.format !== 'csv' && (
        <Notice tone="amber" title="This is no CSV file">
          <p>Save it as CSV, with the names of the columns in the first row.</p>
        </Notice>
      )}
      <Section
        title="Who is who"
        note="Rows with the same value in this column are one person. Matching never sees it."
      >
        <div className="model-form">
          <Select
            label="Column with the truth"
            placeholder="Choose a column"
            data={columns}
            value={truth}
            onChange={(column) => {
              setTruth(column);
              if (column !== null) setMapping(withTarget(mapping, column, { kind: 'nothing' }));
            }}
          />
          <Select
            label="Model"
            data={[
              { value: TRAINED, label: 'One trained on this file' },
              ...(models.data?.models.map(({ id, version }) => ({ value: id, label: version })) ?? []),
            ]}
            value={model}
            allowDeselect={false}
            onChange={(chosen) => setModel(chosen ?? TRAINED)}
          />
        </div>
      </Section>
      <Section title="What each column is">
        <ColumnTable upload={upload} mapping={mapping} onChange={setMapping} />
      </Section>
      {begin.isError && <FailureNotice error={begin.error} focus />}
      <footer className="page-foot">
        <Button
          loading={begin.isPending}
          disabled={truth === null || !named || upload.format !== 'csv'}
          onClick={() => begin.mutate()}
        >
          Judge
        </Button>
        <span className="soft small">
          {truth === null || !named ? 'Choose the column with the truth, and at least one column with a name.' : ''}
        </span>
      </footer>
    </div>
  );
}

interface Chosen {
  readonly mapping: Mapping;
  readonly truth: string | null;
  readonly model: string;
}

function useBegin({ uploadId }: UploadView, { mapping, truth, model }: Chosen) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () =>
      api.send('POST', '/api/models/evaluate', studyReply, {
        uploadId,
        map: documentOf(mapping),
        truth,
        ...(model === TRAINED ? {} : { modelId: model }),
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['models'] });
      await navigate({ to: '/reviews/models' });
    },
  });
}
