/** From what studies keep to what is shown of them: counts and levels. Records are shown one pair at a time, and that is audited. */
import type { ResourceId } from '../../kernel/ids.ts';
import { exampleNotFound } from './errors.ts';
import type { EvaluationKept as KeptEvaluation } from './evaluation.ts';
import type { StudyRow } from './store.ts';
import type { GroupsReport as KeptGroups, SimulationReport as KeptSimulation } from './simulation.ts';
import type { TrainingReport as KeptTraining } from './training.ts';
import type { StudyReportReply } from './wire.ts';

type Shown = StudyReportReply['report'];

/** `report` was written by the study of this row and opened from its seal. */
export function shownReport(row: Pick<StudyRow, 'kind'>, report: unknown): Shown {
  if (row.kind === 'training') return { kind: 'training', ...(report as KeptTraining) };
  if (row.kind === 'evaluation') return { kind: 'evaluation', ...(report as KeptEvaluation) };
  if (row.kind === 'simulation') return simulationShown(report as KeptSimulation);
  return groupsShown(report as KeptGroups);
}

function simulationShown({ tally, histogram, ruleParts, ...told }: KeptSimulation): Shown {
  return {
    kind: 'simulation',
    ...told,
    newRules: [...told.newRules],
    looked: tally.records,
    pairs: tally.pairs,
    changes: tally.changes,
    ...{ gained: tally.gained, lost: tally.lost, bound: tally.bound, cut: tally.cut },
    rules: Object.entries(tally.rules).map(([rule, of]) => ({ rule, parts: ruleParts[rule] ?? rule, ...of })),
    linksUnmet: tally.linksUnmet,
    histogram: { ...histogram, ...tally.histogram },
    examples: tally.examples.map(({ kind, before, after }) => ({ kind, before: open(before), after: open(after) })),
  };
}

type Explained = KeptSimulation['tally']['examples'][number]['before'];
const open = (one: Explained) => ({ ...one, fields: [...one.fields], contradictions: [...one.contradictions] });

function groupsShown({ active, tally }: KeptGroups): Shown {
  return {
    kind: 'clusters',
    active,
    ...{ groups: tally.groups, records: tally.records, largest: tally.largest },
    sizes: [...tally.sizes],
    faults: tally.faults,
    examples: tally.examples.map(({ goldenId, size, fault }) => ({
      clientId: goldenId,
      size,
      kind: fault.kind,
      hasPair: fault.kind !== 'too-large',
    })),
  };
}

/** The two records of an example. Throws Problem `example-not-found`. */
export function pairOf(
  row: Pick<StudyRow, 'kind'>,
  report: unknown,
  at: number,
): { readonly a: ResourceId; readonly b: ResourceId; readonly through?: ResourceId } {
  if (row.kind === 'simulation') {
    const example = (report as KeptSimulation).tally.examples[at];
    if (example) return example;
  }
  if (row.kind === 'clusters') {
    const fault = (report as KeptGroups).tally.examples[at]?.fault;
    if (fault && fault.kind !== 'too-large') return fault;
  }
  throw exampleNotFound();
}
