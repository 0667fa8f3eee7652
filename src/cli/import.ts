import { readFileSync } from 'node:fs';
import { sha256Hex } from '../crypto/index.ts';
import { DEFAULT_MODEL } from '../features/matching/index.ts';
import { type ConvertedRules, convertRules, DecisionRules, importOpenCr } from '../features/opencr/index.ts';
import { utf8Encode } from '../kernel/bytes.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command, Invocation } from './command.ts';
import { writePrivate } from './private-file.ts';

export const importOpenCrCommand: Command = {
  name: 'import opencr',
  summary: 'Take over rules and patients from an OpenCR',
  positional: [],
  options: {
    rules: { kind: 'value', valueName: 'FILE', description: 'decisionRules.json of the OpenCR' },
    model: {
      kind: 'value',
      valueName: 'OUT',
      description: 'Write the model made of them to a file, without the registry',
    },
    patients: {
      kind: 'value',
      valueName: 'FILE',
      description: 'Patients: a Bundle (JSON) or NDJSON, golden records included',
    },
    clients: {
      kind: 'value',
      valueName: 'LIST',
      description: 'Identifier systems of its clients: openmrs=urn:openmrs:ids,dhis2=https://dhis2.example/ids',
    },
  },
  json: true,
  help: `Patients: source records keep their content, and each person keeps the CRUID it had. Export them with
  curl 'https://hapi.example/fhir/Patient?_count=500' (all pages, one resource a line), or as a bulk export.
Giving the same file again changes nothing. Import before the nodes are added: a domain that a node owns is written by it alone.
Rules: says what was taken over and what has no equivalent. The model made of them is kept in the registry and decides nothing
until it is activated: try it with \`careseal model simulate\`, or, written to a file, with \`careseal evaluate\`.`,
  async run(invocation) {
    const { value, out } = invocation;
    const [rules, patients] = [value('rules'), value('patients')];
    if (rules === undefined && patients === undefined)
      throw new Problem('invalid', 'usage', 'Give --rules, --patients, or both.');
    const converted = rules === undefined ? undefined : await takeRules(invocation, rules);
    const summary = patients === undefined ? undefined : await takePatients(invocation, patients);
    out.json({ ...(converted ? { rules: converted } : {}), ...(summary ? { patients: summary } : {}) });
  },
};

async function takeRules(invocation: Invocation, file: string) {
  const { value, out } = invocation;
  const text = readText(file);
  const document = DecisionRules.safeParse(json(text, file));
  if (!document.success)
    throw new Problem('invalid', 'rules-invalid', `${file} is no decisionRules.json of OpenCR. Nothing was written.`, {
      issues: document.error.issues.map((issue) => ({
        detail: `${issue.path.join('.') || 'rules'}: ${issue.message}`,
      })),
    });
  const version = `opencr-${sha256Hex(utf8Encode(text)).slice(0, 8)}`;
  const converted = convertRules(document.data, DEFAULT_MODEL, version);
  const target = value('model');
  if (target !== undefined) {
    await writePrivate(target, [`${JSON.stringify(converted.model, null, 2)}\n`]);
    out.line(`Matching model ${version} is in ${target}`);
  } else if (await keepModel(invocation, converted)) {
    out.line(`Matching model ${version} is kept and decides nothing yet. Try it: careseal model simulate ${version}`);
  } else out.line(`Matching model ${version} was kept before; nothing was changed.`);
  const { taken, left } = converted;
  for (const line of taken) out.line(`  taken over: ${line}`);
  for (const line of left) out.line(`  no equivalent: ${line}`);
  return { version, taken, left };
}

/** Characters that the notes of a model hold. */
const NOTES_MAX = 2_000;

/** Among the registry's versions, with what has no equivalent as its notes. False: the same rules were taken over before. */
async function keepModel({ withServices }: Invocation, { model, left }: ConvertedRules): Promise<boolean> {
  const notes = ['Made of decisionRules.json.', ...left.map((line) => `No equivalent: ${line}`)].join(' ');
  try {
    await withServices(({ models, actor }) =>
      models.add(actor, { document: model, notes: notes.slice(0, NOTES_MAX), origin: 'opencr-rules' }),
    );
    return true;
  } catch (error) {
    // The version is a hash of the rules.
    if (error instanceof Problem && error.code === 'model-exists') return false;
    throw error;
  }
}

async function takePatients({ value, out, signal, withServices }: Invocation, file: string) {
  readText(file, 1);
  const systems = systemsIn(value('clients'));
  const summary = await withServices(({ registry, nodes, actor }) =>
    importOpenCr({ registry, domains: nodes.domains }, actor, {
      file,
      systems,
      signal,
      onProgress: (read) => out.progress(`${read} records read`),
    }),
  );
  out.progress('');
  const { read, created, updated, unchanged, rejected, persons, redirects, renamed } = summary;
  out.line(
    `${read} records read: ${created} created, ${updated} updated, ${unchanged} unchanged, ${rejected} rejected.`,
  );
  out.line(`${persons} persons keep their CRUID and records; ${redirects} former CRUIDs lead to theirs.`);
  if (renamed > 0) out.line(`${renamed} CRUIDs are no UUIDs: these persons have new ids.`);
  for (const [code, count] of Object.entries(summary.reasons)) out.line(`  rejected, ${code}: ${count}`);
  for (const system of summary.systems) out.line(`  domain: ${system}   (careseal node add NAME --domain ${system})`);
  return summary;
}

function systemsIn(text: string | undefined): ReadonlyMap<string, string> {
  const pairs = (text ?? '').split(',').filter((part) => part.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Problem('invalid', 'usage', '--clients is written NAME=SYSTEM,NAME=SYSTEM.');
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
    }),
  );
}

function readText(file: string, bytes?: number): string {
  try {
    return bytes === undefined ? readFileSync(file, 'utf8') : readFileSync(file).subarray(0, bytes).toString();
  } catch (cause) {
    throw new Problem('invalid', 'file-unreadable', `${file} cannot be read. Nothing was taken over.`, { cause });
  }
}

function json(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Problem('invalid', 'rules-invalid', `${file} is no JSON. Nothing was written.`, { cause });
  }
}
