import { describe, expect, it } from 'vitest';
import { attentionOf } from './rules.ts';

const nowMs = Date.UTC(2026, 5, 1);
const kinds = (facts: Parameters<typeof attentionOf>[0]) =>
  attentionOf(facts).map((item) => `${item.level} ${item.kind}`);

describe('what needs attention', () => {
  it('is nothing where nothing is known or all is well', () => {
    expect(kinds({ nowMs })).toEqual([]);
    const well = {
      nodes: { nodes: 3, expired: 0, endingWithin: { 30: 0, 14: 0, 7: 0 } },
      users: { users: 5, invited: 0, administrators: 2 },
    };
    expect(kinds({ nowMs, ...well, audit: { proven: true }, loads: { running: 0, failed: 0 } })).toEqual([]);
  });

  it('puts a log that cannot be proven and dead certificates before everything else', () => {
    const facts = {
      nowMs,
      audit: { proven: false },
      nodes: { nodes: 3, expired: 1, endingWithin: { 30: 1, 14: 0, 7: 0 } },
      users: { users: 1, invited: 0, administrators: 1 },
      registry: { clients: 10, reviewsOpen: 2 },
    };
    expect(kinds(facts)).toEqual([
      'red audit-not-proven',
      'red node-expired',
      'amber node-expiring',
      'amber one-administrator',
      'info reviews-open',
    ]);
  });

  it('warns of certificates by the nearest of 30, 14 and 7 days', () => {
    const told = (within: Record<30 | 14 | 7, number>) =>
      attentionOf({ nowMs, nodes: { nodes: 9, expired: 0, endingWithin: within } }).map(({ text }) => text);
    expect(told({ 30: 3, 14: 0, 7: 0 })).toEqual(['The certificate of 3 systems ends within 30 days.']);
    expect(told({ 30: 3, 14: 2, 7: 0 })).toEqual(['The certificate of 2 systems ends within 14 days.']);
    expect(told({ 30: 3, 14: 2, 7: 1 })).toEqual(['The certificate of 1 system ends within 7 days.']);
  });

  it('says while search keys are made anew that links may be missed, and whether that goes on', () => {
    const oldKeys = { visited: 1_200, total: 50_000, going: true };
    expect(attentionOf({ nowMs, oldKeys })).toMatchObject([
      { kind: 'old-keys', level: 'amber', text: expect.stringContaining('1,200 of 50,000'), href: '/reviews/models' },
    ]);
    expect(attentionOf({ nowMs, oldKeys: { ...oldKeys, going: false } })[0]?.text).toContain('stopped');
  });

  it('leads to a client that its repair has left to the centre alone, until none is left', () => {
    expect(kinds({ nowMs, narrowed: { count: 0 } })).toEqual([]);
    const item = (count: number) => attentionOf({ nowMs, narrowed: { count, first: 'c1' } })[0];
    expect(item(1)).toMatchObject({ kind: 'clients-narrowed', level: 'amber', count: 1, href: '/clients/c1' });
    expect(item(1)?.text).toMatch(/^1 client that was put right is seen by the central organisation alone/);
    expect(item(3)?.text).toMatch(/^3 clients that were put right are /);
  });

  it('tells of alerts that nobody has taken on, and where they are', () => {
    expect(kinds({ nowMs, alertsWaiting: 0 })).toEqual([]);
    expect(attentionOf({ nowMs, changedRules: 1, alertsWaiting: 1 })).toMatchObject([
      { kind: 'alert-rules-changed', level: 'red', text: expect.stringMatching(/^1 rule for alerts was changed/) },
      { kind: 'alerts-waiting' },
    ]);
    expect(attentionOf({ nowMs, alertsWaiting: 3 })).toMatchObject([
      { level: 'amber', text: expect.stringMatching(/^3 alerts wait /), count: 3, href: '/audit/alerts' },
    ]);
    expect(attentionOf({ nowMs, alertsWaiting: 1 })[0]?.text).toMatch(/^1 alert waits /);
  });

  it('turns amber when the oldest review has waited more than a week', () => {
    const waiting = (days: number) => ({
      nowMs,
      registry: { clients: 10, reviewsOpen: 1, oldestReviewMs: nowMs - days * 86_400_000 },
    });
    expect(kinds(waiting(7))).toEqual(['info reviews-open']);
    expect(kinds(waiting(8))).toEqual(['amber reviews-open']);
    expect(attentionOf(waiting(8))[0]?.text).toContain('1 pair of records is');
  });
});
