import { Select, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { UploadView } from '../../../features/load/wire.ts';
import { Own } from '../../ui/text.tsx';
import { type Mapping, type Target, withTarget } from './mapping.ts';
import { DATE_FORMATS, TARGET_CHOICES, choiceOf } from './target-words.ts';

const GROUPS = ['Who', 'Contact', 'Address', 'More', 'Other'] as const;
const SELECT_DATA = GROUPS.map((group) => ({
  group,
  items: TARGET_CHOICES.filter((choice) => choice.group === group).map(({ value, label }) => ({ value, label })),
}));

export interface ColumnTableProps {
  readonly upload: UploadView;
  readonly mapping: Mapping;
  readonly onChange: (mapping: Mapping) => void;
}

/** One line per column: its name, what stands in it, what it becomes. */
export function ColumnTable({ upload, mapping, onChange }: ColumnTableProps): ReactNode {
  return (
    <table className="columns">
      <thead>
        <tr>
          <th scope="col">Column in the file</th>
          <th scope="col">First values</th>
          <th scope="col">Becomes</th>
        </tr>
      </thead>
      <tbody>
        {upload.columns.map((column) => (
          <ColumnLine
            key={column.name}
            column={column}
            rows={upload.rowsPreviewed}
            target={mapping.targets.get(column.name) ?? { kind: 'nothing' }}
            onChange={(target) => onChange(withTarget(mapping, column.name, target))}
          />
        ))}
      </tbody>
    </table>
  );
}

interface ColumnLineProps {
  readonly column: UploadView['columns'][number];
  readonly rows: number;
  readonly target: Target;
  readonly onChange: (target: Target) => void;
}

function ColumnLine({ column, rows, target, onChange }: ColumnLineProps): ReactNode {
  const choose = (value: string | null): void => {
    const choice = TARGET_CHOICES.find((one) => one.value === value);
    if (choice) onChange(choice.target);
  };
  return (
    <tr data-used={target.kind !== 'nothing'}>
      <th scope="row">
        <Own>{column.name}</Own>
      </th>
      <td>
        <ul className="samples">
          {column.samples.slice(0, 3).map((sample, index) => (
            <li key={`${index} ${sample}`}>
              <Own>{sample}</Own>
            </li>
          ))}
        </ul>
        {column.filled < rows && (
          <span className="soft small">
            {column.filled === 0 ? 'always empty' : `filled in ${column.filled} of ${rows} rows`}
          </span>
        )}
      </td>
      <td>
        <div className="becomes">
          <Select
            aria-label={`What the column ${column.name} becomes`}
            data={SELECT_DATA}
            value={choiceOf(target)}
            onChange={choose}
            allowDeselect={false}
            searchable
            maxDropdownHeight={320}
            nothingFoundMessage="No such field"
          />
          <Detail column={column.name} target={target} onChange={onChange} />
        </div>
      </td>
    </tr>
  );
}

interface DetailProps {
  readonly column: string;
  readonly target: Target;
  readonly onChange: (target: Target) => void;
}

/** What some targets need to know more: the date's format, the identifier's system. */
function Detail({ column, target, onChange }: DetailProps): ReactNode {
  if (target.kind === 'birthDate') {
    const known = DATE_FORMATS.some((format) => format.value === target.format);
    return (
      <Select
        aria-label={`How dates are written in ${column}`}
        data={known ? [...DATE_FORMATS] : [...DATE_FORMATS, { value: target.format, label: target.format }]}
        value={target.format}
        allowDeselect={false}
        onChange={(format) => onChange({ ...target, format: format ?? 'auto' })}
      />
    );
  }
  if (target.kind === 'identifier') {
    return (
      <TextInput
        aria-label={`System of the identifier in ${column}`}
        placeholder="System, e.g. urn:ug:nin"
        value={target.system}
        spellCheck={false}
        autoComplete="off"
        error={target.system.trim() === ''}
        onChange={(event) => onChange({ ...target, system: event.currentTarget.value.trim() })}
      />
    );
  }
  return null;
}
