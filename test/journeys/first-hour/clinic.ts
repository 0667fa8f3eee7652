import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOMAIN, type Hour, NATIONAL_ID } from '../../support/first-hour.ts';
import { download, goTo, heading } from '../../support/journey.ts';
import { askAsNode, CURL_IS_HERE, type NodeAnswer, OPENSSL_IS_HERE, shell } from '../../support/node-client.ts';
import { picture } from '../../support/pictures.ts';
import { careseal } from '../../support/server.ts';

function notChecked(what: string): string {
  console.warn(`NOT CHECKED: ${what}.`);
  return what;
}

/** A clinic’s system: certificate by page and by request, curl, revocation. */
export function clinic(hour: Hour): void {
  let folder: string;
  const ask = async (path: string, send?: object): Promise<NodeAnswer> =>
    await askAsNode({ folder, url: `${hour.server.nodesUrl}/fhir${path}`, ...(send === undefined ? {} : { send }) });

  describe('5. a clinic’s system', () => {
    it('is added on the page; its certificate works with the very line that the page shows', async () => {
      const { page } = hour.administrator;
      await goTo(page, 'Nodes');
      await picture(page, 'nodes-empty');
      await page.getByRole('link', { name: 'Add a node' }).click();
      await page.getByLabel('Name').fill('Mulago clinic');
      await page.getByRole('textbox', { name: 'Domain' }).fill('urn:example:mulago');
      await picture(page, 'node-add');
      await page.getByRole('button', { name: 'Add the node' }).click();
      await heading(page, 'The node is added').waitFor();
      folder = join(hour.folder, 'mulago');
      await mkdir(folder);
      for (const name of ['node.key', 'node.crt', 'ca.crt']) {
        const text = await download(page, () => page.getByRole('button', { name: `Download ${name}` }).click());
        expect(text).toMatch(/^-----BEGIN /);
        await writeFile(join(folder, name), text);
      }
      await picture(page, 'node-files');
      const line = await page.getByRole('region', { name: 'the test command' }).innerText();
      if (CURL_IS_HERE) {
        const ran = await shell(line, folder);
        expect(ran).toMatchObject({ code: 0 });
        expect(JSON.parse(ran.stdout)).toMatchObject({ resourceType: 'CapabilityStatement' });
      } else notChecked('curl is not on this machine: the line on the page was not run, and Node stands in for curl');
      await page.getByRole('link', { name: 'Done' }).click();
      await page.getByRole('table', { name: 'Nodes' }).waitFor();
    });

    it('registers a client that is known already, finds it, and asks who it may be', async () => {
      const known = hour.file.records.find(({ nationalId, phone }) => nationalId !== '' && phone !== '');
      const patient = {
        resourceType: 'Patient',
        identifier: [
          { system: 'urn:example:mulago', value: 'M-1' },
          { system: NATIONAL_ID, value: known?.nationalId },
        ],
        name: [{ family: known?.family, given: known?.given.split(' ') }],
        gender: known?.gender,
        birthDate: known?.birthDate,
        telecom: [{ system: 'phone', value: known?.phone }],
      };
      const created = await ask('/Patient', patient);
      expect(created).toMatchObject({ status: 201, body: { resourceType: 'Patient' } });
      const found = await ask(`/Patient?identifier=urn:example:mulago|M-1`);
      expect(found.status).toBe(200);
      const golden = found.body.entry.map((entry: { resource: unknown }) => entry.resource)[0];
      const numbers = golden.identifier.map((one: { system: string; value: string }) => `${one.system}|${one.value}`);
      expect(numbers).toEqual(expect.arrayContaining(['urn:example:mulago|M-1', `${DOMAIN}|${known?.id}`]));
      const { resourceType, name, gender, birthDate } = patient;
      const asked = {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource: { resourceType, name, gender, birthDate } }],
      };
      const matched = await ask('/Patient/$match', asked);
      expect(matched.status).toBe(200);
      expect(matched.body.entry[0]).toMatchObject({ resource: { id: golden.id }, search: { mode: 'match' } });
      expect(matched.body.entry[0].search.score).toBeGreaterThan(0.5);
    });

    it('is told in plain words that nobody comes in without a certificate', async () => {
      const refused = await askAsNode({ folder, url: `${hour.server.nodesUrl}/fhir/Patient`, certificate: false });
      expect(refused).toMatchObject({ status: 401, body: { resourceType: 'OperationOutcome' } });
      expect(refused.body.issue[0].details.text).toContain('client certificate');
    });

    it('with a key of its own is added on the command line', async (context) => {
      if (!OPENSSL_IS_HERE)
        return context.skip(notChecked('openssl is not on this machine: no certificate request of a node was tried'));
      const { page } = hour.administrator;
      await page.getByRole('link', { name: 'Add a node' }).click();
      await page.getByLabel('The system made its own key').check();
      const other = join(hour.folder, 'nsambya');
      await mkdir(other);
      expect(await shell(await page.locator('.csr-command').innerText(), other)).toMatchObject({ code: 0 });
      await picture(page, 'node-csr');
      const words = [
        'node',
        'add',
        'Nsambya',
        '--domain',
        'urn:example:nsambya',
        '--csr',
        join(other, 'node.csr'),
        '--out',
        other,
      ];
      const added = await careseal([...words, '--json'], { home: hour.home });
      expect(added).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(added.stdout)).toMatchObject({
        fhirUrl: `${hour.server.nodesUrl}/fhir`,
        node: { name: 'Nsambya', state: 'active', domains: ['urn:example:nsambya'] },
      });
      expect(
        await askAsNode({
          folder: other,
          url: `${hour.server.nodesUrl}/fhir/Patient?identifier=urn:example:mulago|M-1`,
        }),
      ).toMatchObject({ status: 200, body: { total: 1 } });
    });

    it('gets nothing any more once it is revoked', async () => {
      expect((await ask('/Patient?identifier=urn:example:mulago|M-1')).status).toBe(200);
      const revoked = await careseal(['node', 'revoke', 'Mulago clinic', '--reason', 'laptop stolen', '--json'], {
        home: hour.home,
      });
      expect(revoked).toMatchObject({ code: 0 });
      expect(JSON.parse(revoked.stdout)).toMatchObject({ node: { state: 'revoked', revokedReason: 'laptop stolen' } });
      const refused = await ask('/Patient?identifier=urn:example:mulago|M-1');
      expect(refused).toMatchObject({ status: 403, body: { resourceType: 'OperationOutcome' } });
      expect(refused.body.issue[0].details.text).toMatch(/revoked/i);
      await hour.administrator.page.goto(hour.url('/nodes'));
      await hour.administrator.page.getByRole('table', { name: 'Nodes' }).getByText('revoked').waitFor();
      await picture(hour.administrator.page, 'nodes');
    });
  });
}
