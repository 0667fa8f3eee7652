/**
 * What XML costs beside JSON, in processor time: whole requests through the nodes' door (TLS, rights, seal and audit on), of the server's
 * process, and the two conversions by themselves, in one thread.
 *
 *     npm run bench -- formats [--people 5000] [--requests 3000] [--rounds 3] [--times 20000]
 */
import { parseArgs } from 'node:util';
import { assertPatient, parseBody, printResource, printStored } from '../src/fhir/index.ts';
import { measure, type RequestToSend } from './support/client.ts';
import { NATIONAL_ID, patientOf, population } from './support/population.ts';
import { processorMs } from './support/processor-time.ts';
import { startCareseal, startPostgres } from './support/processes.ts';
import { machine, printTable } from './support/report.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '5000' },
    requests: { type: 'string', default: '3000' },
    rounds: { type: 'string', default: '3' },
    times: { type: 'string', default: '20000' },
  },
});
const FORMATS = ['json', 'xml'] as const;
type Format = (typeof FORMATS)[number];

const newcomers = population(500_000);
const known = population(1);

/** One request of each kind. */
function requests(ids: readonly string[]): Readonly<Record<string, (format: Format) => RequestToSend>> {
  let at = 0;
  const search = (query: string): RequestToSend => ({ method: 'GET', path: `/fhir/Patient?${query}` });
  return {
    'read by id': () => ({ method: 'GET', path: `/fhir/Patient/${ids[at++ % ids.length]}` }),
    'search by identifier, one found': () => {
      let record = known.next().value;
      while (!record.nationalId) record = known.next().value;
      return search(`identifier=${encodeURIComponent(`${NATIONAL_ID}|${record.nationalId}`)}`);
    },
    'search, 20 found': () => {
      at += 20;
      const some = Array.from({ length: 20 }, (_, index) => ids[(at + index) % ids.length]);
      return search(`_id=${some.join(',')}`);
    },
    create: (format) => ({
      method: 'POST',
      path: '/fhir/Patient',
      body: new TextDecoder().decode(printResource(patientOf(newcomers.next().value), { format, pretty: false })),
    }),
  };
}

async function wholeRequests(): Promise<void> {
  const postgres = await startPostgres();
  const connection = await postgres.create('bench');
  const careseal = await startCareseal({ connection, people: Number(values.people), sealed: true, audited: true });
  const { ids, ...target } = careseal.ready;
  const rows = [];
  for (const [what, next] of Object.entries(requests(ids))) {
    const cost: Record<Format, number[]> = { json: [], xml: [] };
    // The first round warms up both.
    for (let round = 0; round <= Number(values.rounds); round += 1) {
      for (const format of FORMATS) {
        let left = round === 0 ? Number(values.requests) / 2 : Number(values.requests);
        const before = processorMs(careseal.pid);
        const { requests: sent } = await measure(target, {
          connections: 8,
          seconds: 60,
          next: () => (left-- > 0 ? { ...next(format), format } : undefined),
          expect: [200, 201],
        });
        if (round > 0) cost[format].push(((processorMs(careseal.pid) - before) / sent) * 1000);
      }
    }
    const [json, xml] = [median(cost.json), median(cost.xml)];
    rows.push({ what, 'JSON µs': Math.round(json), 'XML µs': Math.round(xml), 'XML ÷ JSON': (xml / json).toFixed(2) });
  }
  printTable(`Processor time of the server per request, median of ${values.rounds}`, rows);
  await careseal.stop();
  await postgres.stop();
}

const median = (list: readonly number[]): number =>
  list.toSorted((x, y) => x - y)[Math.floor(list.length / 2)] ?? Number.NaN;

/** Microseconds per turn, of this process. */
function cost(turn: (index: number) => unknown): number {
  const times = Number(values.times);
  for (let index = 0; index < 2_000; index += 1) turn(index % 200);
  const before = process.cpuUsage();
  for (let index = 0; index < times; index += 1) turn(index % 200);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

function conversions(): void {
  const some = population(7);
  const patients = Array.from({ length: 200 }, () => patientOf(some.next().value));
  const bodies = {
    json: patients.map((patient) => printResource(patient, { format: 'json', pretty: false })),
    xml: patients.map((patient) => printResource(patient, { format: 'xml', pretty: false })),
  };
  const at = <T>(list: readonly T[], index: number): T => list[index] as T;
  for (const format of FORMATS) {
    const taken = cost((index) => assertPatient(parseBody(at(bodies[format], index), format)));
    const given = cost((index) => printStored(at(bodies.json, index), { format, pretty: false }));
    console.log(`${format.padEnd(4)}  by themselves: taken in ${taken.toFixed(1)} µs, answered ${given.toFixed(1)} µs`);
  }
}

console.log(machine());
conversions();
await wholeRequests();
