import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userActor } from '../../test/support/audit.ts';
import { type ModelsFixture, modelsFixture } from '../../test/support/models.ts';
import type { ModelsReply } from '../features/models/wire.ts';
import type { CommandServices } from '../main/index.ts';
import type { Invocation } from './command.ts';
import { importOpenCrCommand } from './import.ts';

let f: ModelsFixture;
const folder = mkdtempSync(join(tmpdir(), 'careseal-rules-'));
const rules = join(folder, 'decisionRules.json');
beforeAll(async () => {
  f = await modelsFixture();
  const given = {
    algorithm: 'exact',
    fhirpath: 'name.given',
    null_handling: 'conservative',
    mValue: 0.9,
    uValue: 0.01,
  };
  const blood = { algorithm: 'exact', fhirpath: 'blood', null_handling: 'moderate' };
  writeFileSync(
    rules,
    JSON.stringify({ rules: [{ matchingType: 'probabilistic', threshold: 9, fields: { given, blood } }] }),
  );
});
afterAll(async () => {
  await f.close();
  rmSync(folder, { recursive: true });
});

/** The command as it is given, beside the services of a registry. */
async function importRules(values: Readonly<Record<string, string>>, withoutRegistry = false): Promise<string[]> {
  const lines: string[] = [];
  const invocation = {
    value: (name: string) => values[name],
    out: { isJson: false, line: (text: string) => lines.push(text), progress: () => {}, json: () => {} },
    signal: new AbortController().signal,
    async withServices<T>(work: (services: CommandServices) => Promise<T>) {
      if (withoutRegistry) throw new Error('the registry was asked for');
      return await work({ models: f.models, actor: userActor } as unknown as CommandServices);
    },
  } as unknown as Invocation;
  await importOpenCrCommand.run(invocation);
  return lines;
}

describe('import opencr --rules', () => {
  it('keeps the model among the versions, inactive, with what has no equivalent', async () => {
    const lines = await importRules({ rules });
    expect(lines[0]).toMatch(/^Matching model opencr-[0-9a-f]{8} is kept and decides nothing yet/);
    expect(lines.join('\n')).toContain('no equivalent: ');
    const { models } = await f.call<ModelsReply>('GET /api/models');
    expect(models).toHaveLength(2);
    const kept = models.find(({ origin }) => origin === 'opencr-rules');
    expect(kept).toMatchObject({ state: 'stored', version: lines[0]?.split(' ')[2] });
    expect(kept?.notes).toContain('blood');
  });

  it('given again changes nothing and says so', async () => {
    expect((await importRules({ rules }))[0]).toContain('was kept before');
    expect((await f.call<ModelsReply>('GET /api/models')).models).toHaveLength(2);
  });

  it('writes a file instead where one is named, and needs no registry for it', async () => {
    const model = join(folder, 'model.json');
    expect((await importRules({ rules, model }, true))[0]).toContain(model);
    expect(JSON.parse(readFileSync(model, 'utf8'))).toMatchObject({ format: expect.any(String) });
  });
});
