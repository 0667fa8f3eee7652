import { randomUUID } from 'node:crypto';
import type { Database, Sql, SqlValue, Statement } from '../../src/platform/db/index.ts';

/** A statement as it was asked, with what was given. */
export interface Asked {
  readonly statement: Statement<unknown>;
  readonly values: readonly SqlValue[];
}

/** The database, and all that is asked of it from now on, within transactions too. */
export function noting(database: Database): { readonly database: Database; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const TAKING_SQL = new Set<string | symbol>(['transaction', 'together', 'burst']);
  function noted<T extends Sql>(sql: T): T {
    return new Proxy(sql, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        if (key === 'rows' || key === 'run') {
          return (statement: Statement<unknown>, values: readonly SqlValue[] = []) => {
            asked.push({ statement, values });
            return value.call(target, statement, values);
          };
        }
        if (!TAKING_SQL.has(key)) return value.bind(target);
        return (work: (inner: Sql) => unknown, ...more: unknown[]) =>
          value.call(target, (inner: Sql) => work(noted(inner)), ...more);
      },
    });
  }
  return { database: noted(database), asked };
}

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Plan[];
}

/** How many rows of each table PostgreSQL looks at to answer, those it throws away included. */
export async function rowsLookedAt(database: Sql, { statement, values }: Asked): Promise<Map<string, number>> {
  const explain = {
    name: `test.explain-${randomUUID()}`,
    text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement.text}`,
  };
  const [answer] = await database.rows<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain, values);
  const looked = new Map<string, number>();
  const walk = (plan: Plan): void => {
    const table = plan['Relation Name'];
    if (table !== undefined) {
      const removed = (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
      looked.set(table, (looked.get(table) ?? 0) + Math.round((plan['Actual Rows'] + removed) * plan['Actual Loops']));
    }
    for (const part of plan.Plans ?? []) walk(part);
  };
  if (answer !== undefined) walk(answer['QUERY PLAN'][0].Plan);
  return looked;
}
