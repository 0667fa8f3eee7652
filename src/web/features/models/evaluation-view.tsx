import type { ReactNode } from 'react';
import type { EvaluationReport } from '../../../features/models/wire.ts';
import type { ExplanationView } from '../../../features/registry/wire.ts';
import { plural } from '../../app/words.ts';
import { Bars } from '../../ui/bars.tsx';
import { Facts } from '../../ui/bits.tsx';
import { fieldWords } from '../../ui/match-words.ts';
import { Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Own, scoreText } from '../../ui/text.tsx';
import { Waterfall } from '../../ui/waterfall.tsx';

type Found = EvaluationReport['found'];
type Wrong = Found['worst']['misses'][number];

/** How well a model found who is who in a file: shares, what it got wrong, how candidates were found. */
export function EvaluationView({
  report: { fileName, truth, found },
}: {
  readonly report: EvaluationReport;
}): ReactNode {
  const { model, thresholds } = found;
  return (
    <div className="models-page">
      {found.warnings.map((warning) => (
        <Notice key={warning} tone="amber" title="To be known">
          <p>{warning}</p>
        </Notice>
      ))}
      <Facts
        facts={[
          ['File', fileName],
          ['Truth', truth],
          ['Model', model.trained ? 'trained on this file' : model.version],
          ['Linked from, asked from', `${scoreText(thresholds.match)}, ${scoreText(thresholds.review)}`],
          ['Records', `${found.records.toLocaleString()}, ${plural(found.rejected, 'row', 'rows')} left out`],
          ['Pairs that are one person', found.truePairs.toLocaleString()],
          ['Seconds', found.seconds.toFixed(1)],
        ]}
      />
      <Section
        title="How well"
        note="Precision: how many of the pairs found are right. Recall: how many of the right pairs are found. F1 holds both."
      >
        <Shares found={found} />
      </Section>
      <Section title="Linked, but two people by the truth" note="The surest first. Sometimes the truth is wrong.">
        <Pairs pairs={found.worst.falseLinks} found={found} none="Not one." />
      </Section>
      <Section title="One person, but not found" note="The likeliest first.">
        <Pairs pairs={found.worst.misses} found={found} none="Not one." />
      </Section>
      <Section
        title="How candidates were found"
        note="Records are compared when they share a value of one of these rules; no score can find a pair that none brings together."
      >
        <Blocking found={found} />
      </Section>
    </div>
  );
}

const ROWS = [
  ['linked', 'Linked by itself'],
  ['linkedOrReviewed', 'Linked, or a steward is asked'],
  ['clusters', 'Groups'],
] as const;
const share = (value: number): string => `${(100 * value).toFixed(2)} %`;

function Shares({ found }: { readonly found: Found }): ReactNode {
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <div className="model-scroll" tabIndex={0} role="region" aria-label="Precision and recall">
        <table className="model-table">
          <thead>
            <tr>
              <th scope="col">Pairs</th>
              <th scope="col">Found</th>
              <th scope="col">Precision</th>
              <th scope="col">Recall</th>
              <th scope="col">F1</th>
            </tr>
          </thead>
          <tbody>
            {ROWS.map(([key, label]) => (
              <tr key={key}>
                <th scope="row">{label}</th>
                <td>{found[key].pairs.toLocaleString()}</td>
                <Share value={found[key].precision} />
                <Share value={found[key].recall} />
                <Share value={found[key].f1} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Bars
        items={[
          { label: 'pairs that are one person', value: found.truePairs, tone: 'quiet' },
          { label: 'linked', value: found.linked.pairs },
          { label: 'asked about', value: found.linkedOrReviewed.pairs - found.linked.pairs, tone: 'amber' },
        ]}
      />
    </>
  );
}

function Share({ value }: { readonly value: number }): ReactNode {
  return (
    <td>
      {share(value)}
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" className="share-bar" aria-hidden>
        <rect width="100" height="4" className="share-all" />
        <rect width={100 * value} height="4" className="share-part" />
      </svg>
    </td>
  );
}

interface PairsProps {
  readonly pairs: readonly Wrong[];
  readonly found: Found;
  readonly none: string;
}

function Pairs({ pairs, found, none }: PairsProps): ReactNode {
  if (pairs.length === 0) return <p>{none}</p>;
  return (
    <ul className="example-list">
      {pairs.map((pair) => (
        <li key={pair.records.join(' ')}>
          <details>
            <summary>
              {pair.records[0]} and {pair.records[1]}, {scoreText(pair.score)}
            </summary>
            <Sides pair={pair} />
            <Waterfall explanation={explanationOf(pair, found)} />
          </details>
        </li>
      ))}
    </ul>
  );
}

function Sides({ pair: { records, values = [] } }: { readonly pair: Wrong }): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className="model-scroll" tabIndex={0} role="region" aria-label={`${records[0]} beside ${records[1]}`}>
      <table className="model-table model-sides">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">{records[0]}</th>
            <th scope="col">{records[1]}</th>
          </tr>
        </thead>
        <tbody>
          {values.map(({ field, a, b }) => (
            <tr key={field}>
              <th scope="row">{fieldWords(field)}</th>
              <td data-same={a === b}>
                <Own>{a}</Own>
              </td>
              <td data-same={a === b}>
                <Own>{b}</Own>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What the fields leave over is how common the values are, and whether it may be one household. */
function explanationOf(pair: Wrong, { model, thresholds }: Found): ExplanationView {
  const said = pair.fields.reduce((sum, field) => sum + field.weight, pair.priorWeight);
  const decision = pair.score >= thresholds.match ? 'match' : pair.score >= thresholds.review ? 'review' : 'none';
  return {
    modelVersion: model.version,
    score: pair.score,
    weight: pair.weight,
    priorWeight: pair.priorWeight,
    grade: GRADES[decision],
    decision,
    contradictions: [],
    fields: [
      ...pair.fields,
      { field: 'rarity', level: 'rare or common values, one household', weight: pair.weight - said },
    ],
  };
}
const GRADES = { match: 'certain', review: 'possible', none: 'certainly-not' } as const;

function Blocking({ found: { blocking, truePairs } }: { readonly found: Found }): ReactNode {
  const { truePairsCompared: met, rules } = blocking;
  return (
    <>
      <p>
        {blocking.pairsCompared.toLocaleString()} of {blocking.pairsPossible.toLocaleString()} possible pairs were
        compared.
        {met === undefined || truePairs === 0 ? '' : ` ${share(met / truePairs)} of the true pairs were among them.`}
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <div className="model-scroll" tabIndex={0} role="region" aria-label="Blocking rules">
        <table className="model-table">
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Pairs</th>
              <th scope="col">Largest block</th>
              <th scope="col">Over-full blocks</th>
              <th scope="col">Links it finds</th>
              <th scope="col">It alone</th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <tr key={rule.rule}>
                <th scope="row">{rule.used ? rule.rule : `${rule.rule} (too many pairs, left out)`}</th>
                <td>{Math.round(rule.pairs).toLocaleString()}</td>
                <td>{rule.largestBlock.toLocaleString()}</td>
                <td>{rule.overfullBlocks.toLocaleString()}</td>
                <td>{rule.links.toLocaleString()}</td>
                <td>{rule.linksAlone.toLocaleString()}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
