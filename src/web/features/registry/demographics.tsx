import type { ReactNode } from 'react';
import type { ClientDetailReply } from '../../../features/registry/wire.ts';
import { plural } from '../../app/words.ts';
import { rank } from './attribute-order.ts';
import { Ago, Own, dateText } from '../../ui/text.tsx';

type Demographic = ClientDetailReply['client']['demographics'][number];

const ISO_DATE = /^\d{4}-\d{2}(-\d{2})?$/;

/** A value as a person reads it; dates in the locale's form with the ISO form on hover. */
export function Value({ value }: { readonly value: string }): ReactNode {
  if (ISO_DATE.test(value))
    return (
      <time dateTime={value} title={value}>
        {dateText(value)}
      </time>
    );
  return <Own>{value}</Own>;
}

/** Each attribute, where it came from, by which rule, and what the others say. */
export function Demographics({ demographics }: { readonly demographics: readonly Demographic[] }): ReactNode {
  const order = demographics.toSorted((a, b) => rank(a.path) - rank(b.path));
  return (
    <dl className="known">
      {order.map((item) => (
        <div key={`${item.path} ${item.value}`}>
          <dt>{item.label}</dt>
          <dd>
            <div className="known-value">
              <Value value={item.value} />
            </div>
            <From item={item} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function From({ item }: { readonly item: Demographic }): ReactNode {
  const labels = [...new Set(item.from.map((from) => from.domainLabel))];
  const newest = item.from[0];
  const summary = (
    <>
      from {labels.length === 0 ? 'another organisation' : labels.slice(0, 2).join(', ')}
      {labels.length > 2 && ` and ${labels.length - 2} more`}
      {item.from.length > labels.length && ` (${item.from.length} records)`}
      {newest && (
        <>
          , <Ago iso={newest.updatedAt} />
        </>
      )}
    </>
  );
  return (
    <details className="known-from">
      <summary>
        {summary}
        {item.alternatives.length > 0 && (
          <span className="known-others">{plural(item.alternatives.length, 'other value', 'other values')}</span>
        )}
      </summary>
      <p>Chosen by the rule: {item.rule}.</p>
      {item.alternatives.length > 0 && (
        <ul>
          {item.alternatives.map((other) => (
            <li key={`${other.sourceId} ${other.value}`}>
              <Value value={other.value} /> <span className="soft">says {other.domainLabel}</span>
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}
