/** How good the registry's links and records are, measured rather than believed. */
import { newId } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import { linkCheckDone, noLinksToCheck } from './problems.ts';
import { QUALITY_FIELDS, type QualityField, says, wilson } from './quality-rules.ts';
import { type LinkCheckId, type LinkVerdict, qualityStore } from './quality-store.ts';
import type { RoundDeps } from './round-loading.ts';
import { userOf } from './second-person.ts';
import { estimateSources } from './store.ts';
import type { QualityReply } from './wire-quality.ts';

/** Records opened to see what they say: enough for a share within two in a hundred. */
const SAMPLE = 3_000;
/** Links of this many days back are drawn. */
const DRAWN_DAYS = 365;
const DAY_MS = 86_400_000;
/** Counting everything reads everything: not at every glance. */
const KEPT_MS = 60_000;

export interface Quality {
  read(): Promise<QualityReply>;
  /** Draws links made without a person. Throws Problem `no-links-to-check`. */
  draw(size: number): Promise<number>;
  judge(actor: Actor, id: LinkCheckId, verdict: LinkVerdict): Promise<void>;
}

export function createQuality(deps: RoundDeps): Quality {
  let kept: { readonly at: number; readonly reply: Promise<Pick<QualityReply, 'sources' | 'sampled'>> } | undefined;
  const counted = () => {
    const now = deps.clock.nowMs();
    if (kept === undefined || now - kept.at > KEPT_MS) {
      const reply = countSources(deps);
      kept = { at: now, reply };
      reply.catch(() => (kept = undefined));
    }
    return kept.reply;
  };
  return {
    async read() {
      const now = new Date(deps.clock.nowMs());
      const [counts, queue, verdicts, checksWaiting] = await Promise.all([
        counted(),
        qualityStore.byAge(deps.database, now),
        qualityStore.verdicts(deps.database),
        qualityStore.waiting(deps.database),
      ]);
      const months = verdicts.map((row) => ({ ...row, ...wilson(row.right, row.right + row.wrong) }));
      const right = verdicts.reduce((sum, row) => sum + row.right, 0);
      const judged = verdicts.reduce((sum, row) => sum + row.right + row.wrong, 0);
      return { ...counts, queue, checksWaiting, months, precision: { right, judged, ...wilson(right, judged) } };
    },
    async draw(size) {
      const at = new Date(deps.clock.nowMs());
      const since = new Date(at.getTime() - DRAWN_DAYS * DAY_MS);
      return await deps.database.transaction(async (tx) => {
        const pairs = await qualityStore.linkedLately(tx, since, size);
        if (pairs.length === 0) throw noLinksToCheck();
        const checks = pairs.map((pair) => ({ ...pair, check_id: newId<LinkCheckId>() }));
        await qualityStore.insertChecks(tx, checks, { modelVersion: deps.matcher.modelVersion, at });
        return checks.length;
      });
    },
    async judge({ principal }, id, verdict) {
      const made = { verdict, by: userOf(principal), at: new Date(deps.clock.nowMs()) };
      const isFirst = await deps.database.transaction((tx) => qualityStore.judge(tx, id, made));
      if (!isFirst) throw linkCheckDone();
    },
  };
}

async function countSources(deps: RoundDeps): Promise<Pick<QualityReply, 'sources' | 'sampled'>> {
  const total = Math.max(1, await estimateSources(deps.database));
  const percent = Math.min(100, (100 * SAMPLE) / total);
  const [rows, sample, domains] = await Promise.all([
    qualityStore.bySource(deps.database),
    qualityStore.randomSources(deps.database, percent, 2 * SAMPLE),
    deps.domains.table(),
  ]);
  const said = new Map<number, { records: number; fields: Record<QualityField, number> }>();
  for (const row of sample) {
    const { record } = deps.records.open(row);
    const of = said.get(row.domain_id) ?? { records: 0, fields: noFields() };
    said.set(row.domain_id, of);
    of.records++;
    for (const field of QUALITY_FIELDS) if (says(record, field)) of.fields[field]++;
  }
  const sources = rows.map(({ domain_id: id, records, linked }) => {
    const domain = domains.byId(id);
    const seen = said.get(id);
    return {
      label: domain?.ownerNodeName ?? domain?.system ?? 'unknown',
      records,
      linked,
      ...(seen && {
        complete: QUALITY_FIELDS.map((field) => ({ field, share: seen.fields[field] / seen.records })),
      }),
    };
  });
  return { sources, sampled: sample.length };
}

const noFields = (): Record<QualityField, number> => ({
  given: 0,
  family: 0,
  birthDate: 0,
  gender: 0,
  phone: 0,
  identifier: 0,
  address: 0,
});
