import { describe, expect, test } from 'vitest';
import { closeness, isQuiet, RULES, type Rules } from './rules.ts';
import { createWatch, type WatchedEvent } from './watch.ts';
import { RULE_NAMES, type RuleName, type RuleSettings } from './wire.ts';

function rules(part: Partial<Record<RuleName, Partial<RuleSettings>>> = {}): Rules {
  const entries = RULE_NAMES.map((name) => [name, { ...RULES[name].settings, ...part[name] }]);
  return Object.fromEntries(entries) as Rules;
}

describe('quiet time', () => {
  const quiet = { ...RULES['outside-hours'].settings, quietFrom: '20:00', quietTo: '06:00', zone: 'Africa/Kampala' };
  test.each([
    ['2026-01-31T16:59:00Z', false],
    ['2026-01-31T17:00:00Z', true],
    ['2026-01-31T23:30:00Z', true],
    ['2026-02-01T02:59:00Z', true],
    ['2026-02-01T03:00:00Z', false],
  ])('at %s in a zone three hours ahead: %s', (at, expected) => {
    expect(isQuiet(Date.parse(at), quiet)).toBe(expected);
  });
  test('an unknown zone or an empty time is never quiet', () => {
    expect(isQuiet(0, { ...quiet, zone: 'Nowhere/Land' })).toBe(false);
    expect(isQuiet(0, { ...quiet, quietTo: quiet.quietFrom })).toBe(false);
  });
});

describe('whose name', () => {
  const client = { family: ['Müller-Okello'], given: ['Grace', 'Anna'] };
  test.each([
    ['Dr. Zoe OKELLO', [], 'own-surname'],
    ['Zoe Muller', [], 'own-surname'],
    ['Zoe Adams', ['Grace Okello'], 'colleague'],
    ['Zoe Adams', ['Sarah Okello', 'Grace Adams'], undefined],
    ['', ['', 'Grace'], undefined],
    ['Dr. von', [], undefined],
  ])('%s among %j: %s', (reader, people, expected) => {
    expect(closeness(reader, client, people)).toBe(expected);
  });
  test('scripts without case are compared too', () => {
    expect(closeness('محمد عبد الرحمن', { family: ['الرحمن'], given: [] }, [])).toBe('own-surname');
  });
});

describe('the watch', () => {
  const START = Date.parse('2026-01-31T09:00:00Z');
  const look = (part: Partial<WatchedEvent> = {}): WatchedEvent => ({
    recordedMs: START,
    event: 'client.read',
    outcome: 0,
    kind: 'user',
    actor: 7n,
    client: 1n,
    address: 9n,
    ...part,
  });
  const found = (watch: ReturnType<typeof createWatch>, events: readonly WatchedEvent[]): string[] =>
    events.flatMap((event) => watch.see(event).map(({ rule, subject }) => `${rule} ${subject}`));

  test('counts different clients of one person, not looks, and tells once', () => {
    const watch = createWatch(() => rules({ 'many-clients': { threshold: 3 } }));
    const same = Array.from({ length: 10 }, () => look());
    expect(found(watch, same)).toEqual([]);
    expect(found(watch, [look({ client: 2n }), look({ client: 3n, actor: 8n })])).toEqual([]);
    expect(found(watch, [look({ client: 3n }), look({ client: 4n }), look({ client: 5n })])).toEqual([
      'many-clients 7',
    ]);
  });

  test('forgets what is older than the time, and tells again after a quiet spell', () => {
    const watch = createWatch(() => rules({ 'many-clients': { threshold: 2, minutes: 60 } }));
    const at = (minutes: number, client: bigint) => look({ recordedMs: START + minutes * 60_000, client });
    expect(found(watch, [at(0, 1n), at(61, 2n)])).toEqual([]);
    expect(found(watch, [at(62, 3n), at(63, 4n)])).toEqual(['many-clients 7']);
    expect(found(watch, [at(64, 5n), at(90, 6n)])).toEqual([]);
    expect(found(watch, [at(200, 7n), at(201, 8n)])).toEqual(['many-clients 7']);
  });

  test('a clock that steps back does not empty or flood the window', () => {
    const watch = createWatch(() => rules({ refusals: { threshold: 3, minutes: 10 } }));
    const refused = (ms: number) => look({ recordedMs: ms, outcome: 4 });
    expect(found(watch, [refused(START), refused(START - 3_600_000), refused(START - 3_599_000)])).toEqual([
      'refusals 7',
    ]);
  });

  test('strangers are told apart by their address, others by who they are', () => {
    const watch = createWatch(() => rules({ refusals: { threshold: 2 } }));
    const stranger = (address: bigint) => look({ kind: 'anonymous', actor: 0n, outcome: 4, address });
    expect(found(watch, [stranger(1n), stranger(2n), stranger(1n)])).toEqual(['refusals address 1']);
  });

  test('systems may read many clients; people may not save many files; emergencies always show', () => {
    const watch = createWatch(() => rules({ 'many-clients': { threshold: 2 }, export: { threshold: 2 } }));
    const node = (client: bigint) => look({ kind: 'node', client });
    expect(found(watch, [node(1n), node(2n), node(3n)])).toEqual([]);
    const save = look({ event: 'client.export' });
    expect(found(watch, [save, save])).toEqual(['export 7']);
    expect(found(watch, [look({ event: 'emergency.start' })])).toEqual(['break-glass 7']);
  });

  test('what is switched off says nothing', () => {
    const watch = createWatch(() => rules({ refusals: { threshold: 1, enabled: false } }));
    expect(found(watch, [look({ outcome: 4 })])).toEqual([]);
  });
});
