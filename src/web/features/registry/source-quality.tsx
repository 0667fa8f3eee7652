import type { ReactNode } from 'react';
import type { QualityReply } from '../../../features/registry/wire-quality.ts';
import { Own } from '../../ui/text.tsx';

const FIELD_WORDS: Readonly<Record<string, string>> = {
  given: 'Given names',
  family: 'Family name',
  birthDate: 'Birth date',
  gender: 'Sex',
  phone: 'Telephone',
  identifier: 'Other identifier',
  address: 'Address',
};

/** Below this share a field is marked: matching has to do without it too often. */
const LOW = 0.8;

/** What each source says and leaves out. Each cell has its number; the shade only helps the eye. */
export function SourceQuality({ sources }: Pick<QualityReply, 'sources'>): ReactNode {
  if (sources.length === 0) return <p className="soft">No records yet. Load a file or connect a system first.</p>;
  const fields = sources.find((source) => source.complete !== undefined)?.complete ?? [];
  return (
    // A region that scrolls must be reachable by keyboard (WCAG 2.1.1).
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className="quality-scroll" tabIndex={0} role="region" aria-label="Completeness by source">
      <table className="quality-sources">
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Records</th>
            <th scope="col">Linked</th>
            {fields.map(({ field }) => (
              <th key={field} scope="col">
                {FIELD_WORDS[field] ?? field}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => (
            <tr key={source.label}>
              <th scope="row">
                <Own>{source.label}</Own>
              </th>
              <td>{source.records.toLocaleString()}</td>
              <td>{whole(source.linked / source.records)}</td>
              {fields.map(({ field }) => (
                <Share key={field} share={source.complete?.find((one) => one.field === field)?.share} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const whole = (share: number): string => `${Math.round(100 * share)} %`;

function Share({ share }: { readonly share: number | undefined }): ReactNode {
  if (share === undefined) return <td className="soft">—</td>;
  return (
    <td data-low={share < LOW}>
      {whole(share)}
      {share < LOW && <span className="visually-hidden"> (low)</span>}
    </td>
  );
}
