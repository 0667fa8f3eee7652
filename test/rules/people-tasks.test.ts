import { expect, it } from 'vitest';
import { peopleTable } from '../journeys/people/table.ts';
import { PEOPLE_TASKS } from '../journeys/people/tasks.ts';

it('docs/people-tasks.md lists the tasks that journeys work with both hands (run with -u to write it)', async () => {
  await expect(peopleTable()).toMatchFileSnapshot('../../docs/people-tasks.md');
});

it('each task is there once, and each point of the requirements that has pages has some', () => {
  const names = PEOPLE_TASKS.map(({ who, task }) => `${who} ${task}`);
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  expect(new Set(PEOPLE_TASKS.map(({ point }) => point)).size).toBe(10);
});
