import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portSettings } from '../support/journey.ts';
import { CURL_IS_HERE, OPENSSL_IS_HERE, shell } from '../support/node-client.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';
import { setUpServer } from '../support/set-up.ts';
import { testSubscriber, type TestSubscriber } from '../support/subscriber.ts';

/** Two programmes' systems on a whole server, with the tools an integrator has: curl, openssl, the command line. */
const toolsAreHere = CURL_IS_HERE && OPENSSL_IS_HERE;
if (!toolsAreHere) console.warn('SKIPPED: curl or openssl is not here, so the interfaces are NOT tried with them.');

const CLINIC = 'http://clinic.example/ids';
const LAB = 'http://lab.example/ids';
let home: Awaited<ReturnType<typeof testHome>>;
let folder: string;
let server: TestServer;
let subscriber: TestSubscriber;
let hl7Port: string;

beforeAll(async () => {
  home = await testHome();
  folder = await mkdtemp(join(tmpdir(), 'careseal-exchange-'));
  subscriber = await testSubscriber();
  const settings = { ...(await portSettings()), CARESEAL_HL7_PORT: '0', CARESEAL_OUTBOUND_NETWORKS: '127.0.0.0/8' };
  server = await startTestServer({ home: home.path, settings });
  hl7Port = /HL7 v2:\s+mllps:\/\/[^:]+:(\d+)/.exec(server.stdout())?.[1] ?? '';
  await setUpServer(server, {
    organisation: 'Lakeside',
    name: 'Amina Okello',
    email: 'amina@example.org',
    password: 'seven herons over the lake',
  });
  await run('node', 'add', 'clinic', '--domain', CLINIC, '--out', join(folder, 'clinic'));
  await run('node', 'add', 'lab', '--domain', LAB, '--scopes', 'feed,subscribe', '--out', join(folder, 'lab'));
  await run('domain', 'alias', 'hl7v2:LAB', LAB);
});
afterAll(async () => {
  await server?.end('SIGTERM');
  await subscriber?.close();
  await home.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function run(...words: readonly string[]): Promise<string> {
  const ran = await careseal([...words, '--json'], { home: home.path });
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  return ran.stdout;
}
const curl = async (node: string, rest: string): Promise<string> =>
  (await shell(`curl -sS --cacert ca.crt --cert node.crt --key node.key ${rest}`, join(folder, node))).stdout;
const AMINA = 'Okello^Amina||19840312|F|||1 Hill Rd^^Kampala^^^UG||+256700123456^PRN^PH';

describe.skipIf(!toolsAreHere)('two systems and a registry', () => {
  it('one registers by FHIR with curl, one by HL7 v2 with openssl; both are one person, and PIXm says so', async () => {
    const patient = {
      resourceType: 'Patient',
      identifier: [{ system: CLINIC, value: '17' }],
      name: [{ family: 'Okello', given: ['Amina'] }],
      gender: 'female',
      birthDate: '1984-03-12',
      telecom: [{ system: 'phone', value: '+256700123456' }],
      address: [{ line: ['1 Hill Rd'], city: 'Kampala', country: 'UG' }],
    };
    await writeFile(join(folder, 'clinic', 'patient.json'), JSON.stringify(patient));
    const made = await curl(
      'clinic',
      `-X PUT -H 'Content-Type: application/fhir+json' -d @patient.json -o /dev/null -w '%{http_code}' '${server.nodesUrl}/fhir/Patient?identifier=${encodeURIComponent(`${CLINIC}|17`)}'`,
    );
    expect(made).toBe('201');
    const message = `\x0bMSH|^~\\&|LAB|LAB|CR|MOH|20260101||ADT^A04^ADT_A01|L1|P|2.5.1\rPID|||88^^^LAB||${AMINA}\r\x1c\r`;
    await writeFile(join(folder, 'lab', 'message.hl7'), message);
    // openssl ends with what it is given, so it is given nothing more until the answer is there.
    const answered = 'n=0; until grep -q MSA answer || [ $n -gt 100 ]; do sleep 0.2; n=$((n+1)); done';
    const sent = await shell(
      `: > answer; (cat message.hl7; ${answered}) | openssl s_client -quiet -no_ign_eof -connect localhost:${hl7Port} -servername localhost -CAfile ca.crt -verify_return_error -cert node.crt -key node.key 2>/dev/null > answer; cat answer`,
      join(folder, 'lab'),
    );
    expect(sent.stdout).toContain('MSA|AA|L1');
    const pix = JSON.parse(
      await curl(
        'clinic',
        `'${server.nodesUrl}/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(`${CLINIC}|17`)}'`,
      ),
    );
    expect(pix.parameter).toContainEqual({ name: 'targetIdentifier', valueIdentifier: { system: LAB, value: '88' } });
  });
  it('a subscriber with a certificate nobody here knows is told nothing, and the server says why', async () => {
    const subscription = {
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'copy',
      criteria: 'Patient',
      contact: [{ system: 'email', value: 'it@lab.example' }],
      channel: { type: 'message', endpoint: `${subscriber.url}/feed`, payload: 'application/fhir+json' },
    };
    await writeFile(join(folder, 'lab', 'subscription.json'), JSON.stringify(subscription));
    const made = JSON.parse(
      await curl(
        'lab',
        `-H 'Content-Type: application/fhir+json' -d @subscription.json '${server.nodesUrl}/fhir/Subscription'`,
      ),
    );
    const gone = await curl(
      'clinic',
      `-X DELETE -o /dev/null -w '%{http_code}' '${server.nodesUrl}/fhir/Patient?identifier=${encodeURIComponent(`${CLINIC}|17`)}'`,
    );
    expect([made.status, gone], JSON.stringify(made)).toEqual(['requested', '204']);
    await expect
      .poll(async () => JSON.parse(await curl('lab', `'${server.nodesUrl}/fhir/Subscription/${made.id}'`)).error, {
        interval: 500,
      })
      .toBe('outbound-tls');
    expect(subscriber.notices).toEqual([]);
  });
  it('rules and patients of an OpenCR are taken over beside the running server', async () => {
    const cruid = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const lines = [
      {
        resourceType: 'Patient',
        id: cruid,
        meta: { tag: [{ code: '5c827da5-4858-4f3d-a50c-62ece001efea' }] },
        link: [{ other: { reference: 'Patient/s1' }, type: 'seealso' }],
      },
      {
        resourceType: 'Patient',
        id: 's1',
        meta: { tag: [{ system: 'http://openclientregistry.org/fhir/clientid', code: 'openmrs' }] },
        identifier: [{ system: 'http://openclientregistry.org/fhir/sourceid', value: '1' }],
        name: [{ family: 'Mukasa' }],
        link: [{ other: { reference: `Patient/${cruid}` }, type: 'refer' }],
      },
    ];
    await writeFile(join(folder, 'export.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
    await writeFile(
      join(folder, 'decisionRules.json'),
      JSON.stringify({
        rules: [
          {
            matchingType: 'deterministic',
            fields: { given: { algorithm: 'exact', fhirpath: 'name.given' } },
            autoMatchThreshold: 1,
          },
        ],
      }),
    );
    const said = JSON.parse(
      await run(
        'import',
        'opencr',
        '--patients',
        join(folder, 'export.ndjson'),
        '--rules',
        join(folder, 'decisionRules.json'),
        '--model',
        join(folder, 'model.json'),
      ),
    );
    expect(said).toMatchObject({
      patients: { created: 1, persons: 1 },
      rules: { version: expect.stringMatching(/^opencr-/) },
    });
    expect(JSON.parse(await curl('clinic', `'${server.nodesUrl}/fhir/Patient/${cruid}'`)).name[0].family).toBe(
      'Mukasa',
    );
  });
});
