/** The page of the verifier that works off line: files are read by the browser and go nowhere. */
import { sha256Portable, verifyEd25519 } from '../../crypto/portable.ts';
import { type Checkpoint, parseCheckpoint, parseVerifierKey } from '../checkpoint.ts';
import { parseWitnessKey } from '../cosignature.ts';
import {
  checkCheckpoint,
  checkExportedEvent,
  type Finding,
  isWrong,
  NOT_KNOWN,
  recountLog,
  type Tools,
  type Trust,
} from '../outside.ts';

const tools: Tools = { sha256: sha256Portable, verifyEd25519 };

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}`);
  return found;
}

const form = element('form', HTMLFormElement);
const keyField = element('key', HTMLInputElement);
const witnessField = element('witnesses', HTMLTextAreaElement);
const files = element('files', HTMLInputElement);
const folder = element('folder', HTMLInputElement);
const since = element('since', HTMLInputElement);
const result = element('result', HTMLElement);

form.addEventListener('submit', (event) => {
  event.preventDefault();
  run().catch((error: unknown) =>
    show([{ verdict: 'wrong', text: error instanceof Error ? error.message : 'It failed.' }]),
  );
});

async function run(): Promise<void> {
  result.replaceChildren(line('p', 'Checking …'));
  const trust = trustOf();
  const kept = await Promise.all([...(since.files ?? [])].map(keptCheckpoint));
  const findings: Finding[] = [];
  for (const file of files.files ?? []) findings.push(...(await checkFile(file, trust)));
  if ((folder.files?.length ?? 0) > 0) findings.push(...(await checkFolder([...(folder.files ?? [])], trust, kept)));
  if (findings.length === 0) findings.push({ verdict: 'unknown', text: 'No file was chosen.' });
  show(findings);
}

function trustOf(): Trust {
  const key = keyField.value.trim();
  const logKey = key === '' ? undefined : parseVerifierKey(sha256Portable, key);
  if (key !== '' && logKey === undefined) throw new Error('The key of the log is no verifier key.');
  const lines = witnessField.value.split('\n').map((text) => text.trim());
  const witnessKeys = lines
    .filter((text) => text !== '')
    .map((text) => {
      const witness = parseWitnessKey(sha256Portable, text);
      if (witness === undefined) throw new Error('A key of a witness is none.');
      return witness;
    });
  return { logKey, witnessKeys };
}

async function checkFile(file: File, trust: Trust): Promise<Finding[]> {
  const text = await file.text();
  if (!text.trimStart().startsWith('{')) return (await checkCheckpoint(tools, text, { trust })).findings;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [{ verdict: 'wrong', text: `${file.name} is no JSON.` }];
  }
  return await checkExportedEvent(tools, parsed, trust);
}

async function checkFolder(all: readonly File[], trust: Trust, kept: readonly Checkpoint[]): Promise<Finding[]> {
  // The browser puts the folder's own name in front of each path.
  const byPath = new Map(all.map((file) => [file.webkitRelativePath.split('/').slice(1).join('/'), file]));
  const read = async (path: string): Promise<Uint8Array | undefined> => {
    const file = byPath.get(path);
    return file === undefined ? undefined : new Uint8Array(await file.arrayBuffer());
  };
  const { findings } = await recountLog(tools, { read }, { trust, kept });
  return findings;
}

async function keptCheckpoint(file: File): Promise<Checkpoint> {
  const text = await file.text();
  const checkpoint = parseCheckpoint(text.endsWith('\n') ? text : `${text}\n`);
  if (checkpoint === undefined) throw new Error(`${file.name} is no checkpoint.`);
  return checkpoint;
}

const WORDS = { right: 'Right', wrong: 'Wrong', unknown: 'Cannot be known' } as const;

function show(findings: readonly Finding[]): void {
  const list = document.createElement('ul');
  for (const { verdict, text } of findings) {
    const item = line('li', '');
    item.className = verdict;
    item.append(line('strong', `${WORDS[verdict]}: `), text);
    list.append(item);
  }
  const wrong = isWrong(findings);
  const heading = line('h2', wrong ? 'Something is wrong' : 'Nothing is wrong');
  heading.className = wrong ? 'wrong' : 'right';
  const limits = document.createElement('ul');
  limits.append(...NOT_KNOWN.map((text) => line('li', text)));
  result.replaceChildren(heading, list, line('h3', 'What these checks cannot know'), limits);
  result.focus();
}

function line(kind: 'p' | 'li' | 'h2' | 'h3' | 'strong', text: string): HTMLElement {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}
