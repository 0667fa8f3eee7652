import { newId } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import { instant } from '../../kernel/time.ts';
import { type Database, isUniqueViolation } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { type Audit, type AuditInput, eventNames } from '../audit/index.ts';
import { nameTaken, targetNotFound, unknownEvents } from './errors.ts';
import type { TargetBinder } from './target-binding.ts';
import * as store from './target-store.ts';
import type { AddTarget, ChangeTarget, TargetView } from './wire.ts';

export interface Targets {
  list(actor: Actor): Promise<{ readonly targets: TargetView[]; readonly audited: AuditReceipt }>;
  add(actor: Actor, target: AddTarget): Promise<Changed>;
  change(actor: Actor, id: string, target: ChangeTarget): Promise<Changed>;
  remove(actor: Actor, id: string): Promise<AuditReceipt>;
}

interface Changed {
  readonly target: TargetView;
  readonly audited: AuditReceipt;
}

export interface TargetsDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record' | 'recordNow' | 'feed'>;
  readonly binder: TargetBinder;
}

/** Management of targets; each act is recorded with what was and what is. */
export function createTargets(deps: TargetsDeps): Targets {
  return {
    list: (actor) => list(deps, actor),
    add: (actor, asked) => add(deps, actor, asked),
    change: (actor, id, asked) => change(deps, actor, id, asked),
    remove: (actor, id) => remove(deps, actor, id),
  };
}

const reference = (id: string) => [{ reference: `Target/${id}`, role: 'security-resource' as const }];

async function view({ database, audit, binder }: TargetsDeps, id: string): Promise<TargetView> {
  const [target, size] = await Promise.all([store.findTarget(database, id), audit.feed.size()]);
  if (target === undefined) throw targetNotFound();
  return viewOf(binder, target, size);
}

async function list({ database, audit, binder }: TargetsDeps, actor: Actor): ReturnType<Targets['list']> {
  const [targets, size] = await Promise.all([store.listTargets(database), audit.feed.size()]);
  const entities = targets.flatMap(({ id }) => reference(id));
  const audited = await audit.recordNow([
    { actor, event: 'forwarding.list', action: 'R', outcome: 'success', entities },
  ]);
  return { targets: targets.map((target) => viewOf(binder, target, size)), audited };
}

async function add(deps: TargetsDeps, actor: Actor, asked: AddTarget): Promise<Changed> {
  const { database, audit, clock, binder } = deps;
  const settings = settingsOf({ ...asked, paused: false });
  const id = newId();
  const nextLeaf = asked.from === 'now' ? await audit.feed.size() : 0;
  const detail = { to: described(settings), from: asked.from };
  const audited = await named(() =>
    database.transaction(async (tx) => {
      await store.insertTarget(
        tx,
        id,
        { ...settings, binding: binder.bind(id, settings) },
        { nowMs: clock.nowMs(), place: binder.seal(id, nextLeaf) },
      );
      return await audit.record(tx, [told(actor, 'forwarding.add', id, detail)]);
    }),
  );
  return { target: await view(deps, id), audited };
}

async function change(deps: TargetsDeps, actor: Actor, id: string, asked: ChangeTarget): Promise<Changed> {
  const settings = settingsOf(asked);
  const audited = await named(() =>
    deps.database.transaction(async (tx) => {
      const before = await store.findTarget(tx, id);
      if (before === undefined) throw targetNotFound();
      await store.changeTarget(tx, id, { ...settings, binding: deps.binder.bind(id, settings) });
      // Nobody knows any more how far it had come: rather everything twice than something never.
      if (deps.binder.placeOf(before) === undefined) await store.placeTarget(tx, id, deps.binder.seal(id, 0));
      const detail = { from: described(before), to: described(settings) };
      return await deps.audit.record(tx, [told(actor, 'forwarding.change', id, detail)]);
    }),
  );
  return { target: await view(deps, id), audited };
}

async function remove({ database, clock, audit }: TargetsDeps, actor: Actor, id: string): Promise<AuditReceipt> {
  return await database.transaction(async (tx) => {
    const before = await store.findTarget(tx, id);
    if (before === undefined) throw targetNotFound();
    await store.removeTarget(tx, id, clock.nowMs());
    return await audit.record(tx, [told(actor, 'forwarding.remove', id, { from: described(before) })]);
  });
}

const ACTIONS = { 'forwarding.add': 'C', 'forwarding.change': 'U', 'forwarding.remove': 'D' } as const;

function told(
  actor: Actor,
  event: keyof typeof ACTIONS,
  id: string,
  detail: Readonly<Record<string, string>>,
): AuditInput {
  return { actor, event, action: ACTIONS[event], outcome: 'success', entities: reference(id), detail };
}

async function named<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isUniqueViolation(error)) throw nameTaken();
    throw error;
  }
}

function settingsOf(asked: ChangeTarget): store.TargetSettings {
  const { authorities, filter, ...same } = asked;
  if (filter.events.some((name) => eventNames(name).length === 0)) throw unknownEvents();
  return { ...same, filter, authorities: authorities.trim() === '' ? null : authorities };
}

/** For the log: where to and what, in one line. Addresses of servers are no secret; certificates would only fill it. */
function described({ protocol, host, port, path, filter, paused }: store.TargetSettings): string {
  const events = filter.events.length === 0 ? 'all' : filter.events.join(' ');
  return `${protocol} ${host}:${port}${path}, events ${events}, outcome ${filter.outcome}${paused ? ', paused' : ''}`;
}

function viewOf(binder: TargetBinder, target: store.Target, size: number): TargetView {
  const {
    authorities,
    createdAt,
    nextLeaf: _leaf,
    deliveredAt,
    failingSince,
    failure: told,
    binding: _,
    sealedPlace: _place,
    ...same
  } = target;
  const place = binder.placeOf(target);
  const failure = binder.fits(target) && place !== undefined ? told : 'changed';
  return {
    ...same,
    authorities: authorities ?? '',
    createdAt: instant(createdAt.getTime()),
    waiting: Math.max(0, size - (place ?? 0)),
    ...(deliveredAt === null ? {} : { deliveredAt: instant(deliveredAt.getTime()) }),
    ...(failingSince === null ? {} : { failingSince: instant(failingSince.getTime()) }),
    ...(failure === null ? {} : { failure }),
  };
}
