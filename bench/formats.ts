/**
 * What XML costs beside JSON, in processor time of one thread: taking a Patient in (read and check), and answering one that is stored.
 * TLS, database, seal and audit come on top of both in whole requests, so that these ratios are the worst there can be.
 *
 *     npm run bench -- formats [--times 20000]
 */
import { parseArgs } from 'node:util';
import { assertPatient, parseBody, printResource, printStored } from '../src/fhir/index.ts';
import { patientOf, population } from './support/population.ts';

const { values } = parseArgs({ options: { times: { type: 'string', default: '20000' } } });
const times = Number(values.times);
const some = population(7);
const patients = Array.from({ length: 200 }, () => patientOf(some.next().value));
const bodies = {
  json: patients.map((patient) => printResource(patient, { format: 'json', pretty: false })),
  xml: patients.map((patient) => printResource(patient, { format: 'xml', pretty: false })),
};

/** Processor microseconds per turn, of this process. */
function cost(turn: (index: number) => unknown): number {
  for (let index = 0; index < 2_000; index += 1) turn(index % 200);
  const before = process.cpuUsage();
  for (let index = 0; index < times; index += 1) turn(index % 200);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

const at = <T>(list: readonly T[], index: number): T => list[index] as T;
for (const format of ['json', 'xml'] as const) {
  const taken = cost((index) => assertPatient(parseBody(at(bodies[format], index), format)));
  const given = cost((index) => printStored(at(bodies.json, index), { format, pretty: false }));
  console.log(`${format.padEnd(4)}  taken in ${taken.toFixed(1)} µs, answered ${given.toFixed(1)} µs`);
}
