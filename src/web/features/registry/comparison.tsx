import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import type { ReviewDetailReply } from '../../../features/registry/wire.ts';
import { CalendarDate, Own } from '../../ui/text.tsx';
import { differences } from './value-difference.ts';

type Review = ReviewDetailReply['review'];
type Row = Review['comparison'][number];

const SIGNS = {
  same: { sign: '=', words: 'same' },
  similar: { sign: '≈', words: 'similar' },
  different: { sign: '≠', words: 'different' },
  'only-a': { sign: '·', words: 'only in the left record' },
  'only-b': { sign: '·', words: 'only in the right record' },
} as const;

/** Two records line by line. A difference has a sign and a word, and the letters that differ are underlined. */
export function Comparison({ review }: { readonly review: Review }): ReactNode {
  return <ComparisonTable a={review.a} b={review.b} comparison={review.comparison} />;
}

export function ComparisonTable({ a, b, comparison }: Pick<Review, 'a' | 'b' | 'comparison'>): ReactNode {
  return (
    <table className="comparison">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Attribute</span>
          </th>
          <Side side={a} />
          <th scope="col" className="comparison-sign">
            <span className="visually-hidden">How they compare</span>
          </th>
          <Side side={b} />
        </tr>
      </thead>
      <tbody>
        {comparison.map((row) => (
          <Line key={row.path} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Side({ side }: { readonly side: Review['a'] }): ReactNode {
  return (
    <th scope="col">
      <strong>{side.domainLabel}</strong>
      <Link to="/clients/$id" params={{ id: side.clientId }} className="link small">
        open the client
      </Link>
    </th>
  );
}

function Line({ row }: { readonly row: Row }): ReactNode {
  const { sign, words } = SIGNS[row.same];
  return (
    <tr data-same={row.same}>
      <th scope="row">{row.label}</th>
      <td>
        <Marked mine={row.a} other={row.b} row={row} />
      </td>
      <td className="comparison-sign">
        <span aria-hidden title={words}>
          {sign}
        </span>
        <span className="visually-hidden">{words}</span>
      </td>
      <td>
        <Marked mine={row.b} other={row.a} row={row} />
      </td>
    </tr>
  );
}

interface MarkedProps {
  readonly mine: string | undefined;
  readonly other: string | undefined;
  readonly row: Row;
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}$/;

function Marked({ mine, other, row }: MarkedProps): ReactNode {
  if (mine === undefined || mine === '')
    return (
      <span className="soft" aria-label="not given">
        —
      </span>
    );
  if (other === undefined || row.same !== 'similar') {
    return ISO_DATE.test(mine) ? <CalendarDate iso={mine} /> : <Own>{mine}</Own>;
  }
  // Dates that differ stay in ISO form: the digits that differ can be seen only there.
  return (
    <bdi dir="auto">
      {differences(mine, other).map((part, index) =>
        part.differs ? <mark key={index}>{part.text}</mark> : <span key={index}>{part.text}</span>,
      )}
    </bdi>
  );
}
