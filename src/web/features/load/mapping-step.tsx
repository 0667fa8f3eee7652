import { Button, Checkbox, Modal, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { LoadAnswer, MappingName, type UploadView } from '../../../features/load/wire.ts';
import { api } from '../../app/api.ts';
import { IconX } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Own, bytesText } from '../../ui/text.tsx';
import { ColumnTable } from './column-table.tsx';
import { DomainField, isDomain } from './domain-field.tsx';
import { type LoadDraft, mappingList } from './load-queries.ts';
import { type Mapping, documentOf, mappingOf } from './mapping.ts';
import { PreviewRows } from './preview-rows.tsx';

export interface MappingStepProps {
  readonly draft: LoadDraft;
  readonly onChange: (draft: LoadDraft | null) => void;
}

/** What stops a start, in words; empty when it may start. */
function gapsOf(upload: UploadView, mapping: Mapping, domain: string): readonly string[] {
  const targets = [...mapping.targets.values()];
  const has = (fits: (target: (typeof targets)[number]) => boolean): boolean => targets.some(fits);
  const csv = upload.format === 'csv';
  return [
    ...(isDomain(domain) ? [] : ['Say where the records come from (the domain).']),
    ...(csv && !has((target) => target.kind === 'id')
      ? ['Choose the column that holds the record number. It makes loading the file again safe.']
      : []),
    ...(csv && !has((target) => target.kind === 'many' || (target.kind === 'simple' && target.to === 'name'))
      ? ['Choose at least one column with a name.']
      : []),
    ...(has((target) => target.kind === 'identifier' && target.system.trim() === '')
      ? ['Give every identifier its system, for example urn:ug:nin.']
      : []),
    ...upload.problems.filter((problem) => problem.level === 'error').map((problem) => problem.text),
  ];
}

export function MappingStep({ draft, onChange }: MappingStepProps): ReactNode {
  const { upload, domain } = draft;
  const columns = useMemo(() => upload.columns.map((column) => column.name), [upload]);
  const [mapping, setMappingState] = useState<Mapping>(() => mappingOf(draft.map, columns));
  const [tried, setTried] = useState(false);
  const setMapping = (next: Mapping): void => {
    setMappingState(next);
    onChange({ ...draft, map: documentOf(next) });
  };
  const document = useMemo(() => documentOf(mapping), [mapping]);
  const [settled] = useDebouncedValue(document, 300);
  const gaps = gapsOf(upload, mapping, domain);
  const start = useStart(draft, document);
  const begin = (dryRun: boolean): void => {
    setTried(true);
    if (gaps.length === 0) start.mutate(dryRun);
  };
  return (
    <>
      <FileLine upload={upload} onForget={() => onChange(null)} />
      <FileProblems upload={upload} />
      <Section title="Where the records come from">
        <DomainField value={domain} onChange={(next) => onChange({ ...draft, domain: next })} tried={tried} />
      </Section>
      {upload.format === 'csv' && (
        <Section
          title="What each column is"
          aside={<SavedMappings mapping={mapping} columns={columns} onUse={setMapping} />}
        >
          <ColumnTable upload={upload} mapping={mapping} onChange={setMapping} />
        </Section>
      )}
      <Section title="What the first rows become">
        <PreviewRows uploadId={upload.uploadId} map={settled} domain={isDomain(domain) ? domain : ''} />
      </Section>
      {tried && gaps.length > 0 && (
        <div className="load-problems">
          <Notice tone="amber" title="Before it can start" live>
            <ul>
              {gaps.map((gap) => (
                <li key={gap}>{gap}</li>
              ))}
            </ul>
          </Notice>
        </div>
      )}
      {start.isError && (
        <div className="load-problems">
          <FailureNotice error={start.error} focus />
        </div>
      )}
      <footer className="page-foot">
        <Button loading={start.isPending && start.variables} variant="default" onClick={() => begin(true)}>
          Dry run
        </Button>
        <Button loading={start.isPending && !start.variables} onClick={() => begin(false)}>
          Load the file
        </Button>
        <span className="soft small">A dry run reads and matches everything and keeps nothing.</span>
      </footer>
    </>
  );
}

function FileProblems({ upload }: { readonly upload: UploadView }): ReactNode {
  if (upload.problems.length === 0) return null;
  return (
    <div className="stack load-problems">
      {upload.problems.map((problem) => (
        <Notice key={problem.code + problem.text} tone={problem.level === 'error' ? 'red' : 'amber'}>
          <p>
            {problem.line !== undefined && `Line ${problem.line.toLocaleString()}: `}
            {problem.text}
          </p>
        </Notice>
      ))}
    </div>
  );
}

function useStart(draft: LoadDraft, map: LoadDraft['map']) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (dryRun: boolean) =>
      api.send('POST', '/api/loads', LoadAnswer, {
        uploadId: draft.upload.uploadId,
        domain: draft.domain.trim(),
        ...(draft.upload.format === 'csv' ? { map } : {}),
        dryRun,
      }),
    onSuccess: async ({ load }) => {
      if (!load.dryRun) queries.setQueryData(['load-draft'], null);
      await queries.invalidateQueries({ queryKey: ['loads', 'list'] });
      await navigate({ to: '/load/$id', params: { id: load.id } });
    },
  });
}

function FileLine({ upload, onForget }: { readonly upload: UploadView; readonly onForget: () => void }): ReactNode {
  const read = [
    bytesText(upload.sizeBytes),
    upload.encoding,
    upload.delimiter !== undefined && `separated by ${upload.delimiter === '\t' ? 'tabs' : `“${upload.delimiter}”`}`,
    upload.format === 'csv' && `${upload.columns.length} columns`,
  ].filter((part) => part !== false);
  return (
    <div className="file-line">
      <div>
        <Own strong>{upload.fileName}</Own>
        <div className="soft small">{read.join(', ')}</div>
      </div>
      <Button variant="default" size="xs" leftSection={<IconX size={15} aria-hidden />} onClick={onForget}>
        Another file
      </Button>
    </div>
  );
}

interface SavedMappingsProps {
  readonly mapping: Mapping;
  readonly columns: readonly string[];
  readonly onUse: (mapping: Mapping) => void;
}

function SavedMappings({ mapping, columns, onUse }: SavedMappingsProps): ReactNode {
  const saved = useQuery(mappingList);
  const [saving, setSaving] = useState(false);
  const names = saved.data?.mappings.map((one) => one.name) ?? [];
  return (
    <div className="row">
      {names.length > 0 && (
        <Select
          size="xs"
          aria-label="Use a saved mapping"
          placeholder="Use a saved mapping"
          data={names}
          value={null}
          onChange={(name) => {
            const found = saved.data?.mappings.find((one) => one.name === name);
            if (found) onUse(mappingOf(found.map, columns));
          }}
        />
      )}
      <Button variant="default" size="xs" onClick={() => setSaving(true)}>
        Save this mapping
      </Button>
      {saving && <SaveMapping mapping={mapping} names={names} onClose={() => setSaving(false)} />}
    </div>
  );
}

interface SaveMappingProps {
  readonly mapping: Mapping;
  readonly names: readonly string[];
  readonly onClose: () => void;
}

function SaveMapping({ mapping, names, onClose }: SaveMappingProps): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [replace, setReplace] = useState(false);
  const exists = names.includes(name.trim());
  const fits = MappingName.safeParse(name).success;
  const save = useMutation({
    mutationFn: () => api.act('PUT', `/api/mappings/${encodeURIComponent(name.trim())}`, { map: documentOf(mapping) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: mappingList.queryKey });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Save this mapping">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (fits && (!exists || replace)) save.mutate();
        }}
      >
        <TextInput
          data-autofocus
          label="Name"
          description="For the next file of the same kind. The command line knows it too."
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          error={name !== '' && !fits ? 'Without slashes, please.' : undefined}
        />
        {exists && (
          <Checkbox
            mt="sm"
            label="Replace the mapping of this name"
            checked={replace}
            onChange={(event) => setReplace(event.currentTarget.checked)}
          />
        )}
        {save.isError && <FailureNotice error={save.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!fits || (exists && !replace)} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}
