import { HANDS } from '../../support/hands.ts';
import { PEOPLE_TASKS } from './tasks.ts';

/** What each point of the requirements is about. Those without a task in a browser say where they are shown. */
const POINTS: readonly (readonly [number, string, string?])[] = [
  [1, 'Second factors'],
  [2, 'Policy'],
  [3, 'Organisations and rights'],
  [4, 'Sessions'],
  [5, 'Resets'],
  [6, 'Throttling, bans and networks'],
  [7, 'Broken glass'],
  [8, 'Sign-in from an identity provider'],
  [9, 'Notices, profile, people from a file, retirement'],
  [10, 'Programs'],
  [11, 'Command line', 'No page: `test/journeys/people-cli.test.ts`.'],
];

/** docs/people-tasks.md, made of the tasks that people.test.ts works and of nothing else, so that it cannot promise more. */
export function peopleTable(): string {
  return `${head()}\n${POINTS.map(([point, name, instead]) => section(point, name, instead)).join('\n')}`;
}

function head(): string {
  const tests = PEOPLE_TASKS.length * HANDS.length;
  return `# What people do about accounts, rights and sign-in, and with which hand

Every task is worked twice in a browser, on the whole product: with the mouse only (text is pasted) and with the keyboard only, where
the focus must be shown, on the screen and not covered, wherever it goes. The pages note what was used, and a test fails when it was the
other. This file is made of the tasks that \`test/journeys/people.test.ts\`,
\`people-policy.test.ts\` and \`people-proofs.test.ts\` work (${PEOPLE_TASKS.length} tasks, ${tests} tests) by
\`vitest run --project unit test/rules/people-tasks.test.ts -u\`; a task that is gone there and not here breaks the build.

Beside it: \`test/journeys/sign-in.test.ts\` (a lost telephone, from the first mail to the last), \`test/journeys/dialogs.test.ts\`
(dialogs keep the focus and give it back) and \`test/journeys/pages-accessible.test.ts\` (every page wide and narrow, light and dark).
`;
}

function section(point: number, name: string, instead: string | undefined): string {
  const tasks = PEOPLE_TASKS.filter((one) => one.point === point);
  const rows = tasks.map(({ who, task }) => `| the ${who} ${task} | ${HANDS.map(() => 'yes').join(' | ')} |`);
  const table = ['| task | mouse only | keyboard only |', '| --- | --- | --- |', ...rows].join('\n');
  return `## ${point}. ${name}\n\n${instead ?? table}\n`;
}
