import { equalBytes, toBase64, utf8Decode } from '../kernel/bytes.ts';
import { type Checkpoint, parseCheckpoint, parseVerifierKey, signatureBy, type VerifierKey } from './checkpoint.ts';
import { cosignatureBy, cosignedMessage, type WitnessKey } from './cosignature.ts';
import { isCommittedTo, parseExportedEvent } from './exported-event.ts';
import { parseLeaf } from './leaf.ts';
import { createCompactRange, createMerkle, type Sha256 } from './merkle.ts';
import { verifyInclusion } from './proofs.ts';
import { parseEntries, TILE_WIDTH, tilePath } from './tile.ts';

/**
 * The checks an outsider makes, in the words he gets to read: the standalone file and the page that works off line run the same.
 * What these checks cannot tell is said as plainly as what they can.
 */
export interface Finding {
  /** `unknown`: nobody can tell from what was given. */
  readonly verdict: 'right' | 'wrong' | 'unknown';
  readonly text: string;
}

export interface Tools {
  readonly sha256: Sha256;
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** What the outsider knows from somewhere else than the server. */
export interface Trust {
  readonly logKey: VerifierKey | undefined;
  readonly witnessKeys: readonly WitnessKey[];
}

const right = (text: string): Finding => ({ verdict: 'right', text });
const wrong = (text: string): Finding => ({ verdict: 'wrong', text });
const unknown = (text: string): Finding => ({ verdict: 'unknown', text });

/** True when something is wrong. */
export const isWrong = (findings: readonly Finding[]): boolean => findings.some(({ verdict }) => verdict === 'wrong');

/** What no check of these can tell, to be shown after every result. */
export const NOT_KNOWN: readonly string[] = [
  'Whether everything that was done was recorded: only that what was recorded is unchanged.',
  'Anything after this checkpoint, and what was never under a checkpoint that somebody outside kept.',
];

/** Signatures of a checkpoint: the log's and those of witnesses. `stated` is a key that came with the file. */
export async function checkCheckpoint(
  tools: Tools,
  note: string,
  given: { readonly trust: Trust; readonly stated?: string },
): Promise<{ checkpoint: Checkpoint | undefined; findings: Finding[] }> {
  const checkpoint = parseCheckpoint(note.endsWith('\n') ? note : `${note}\n`);
  if (checkpoint === undefined) return { checkpoint, findings: [wrong('This is no checkpoint.')] };
  const findings: Finding[] = [];
  const { logKey, witnessKeys } = given.trust;
  const stated = given.stated === undefined ? undefined : parseVerifierKey(tools.sha256, given.stated);
  const key = logKey ?? stated;
  if (key === undefined) findings.push(unknown('Who signed the checkpoint: no key of the log was given.'));
  else {
    const signature = signatureBy(checkpoint, key);
    const genuine =
      signature !== undefined && (await tools.verifyEd25519(key.publicKey, checkpoint.message, signature));
    const what = `the checkpoint of ${checkpoint.size} events`;
    findings.push(genuine ? right(`${key.name} signed ${what}.`) : wrong(`${key.name} did not sign ${what}.`));
    if (logKey === undefined) {
      findings.push(unknown('Whether that key is the log’s: it came with the file. Give the key you got yourself.'));
    }
  }
  findings.push(...(await checkWitnesses(tools, checkpoint, witnessKeys)));
  return { checkpoint, findings };
}

async function checkWitnesses(tools: Tools, checkpoint: Checkpoint, keys: readonly WitnessKey[]): Promise<Finding[]> {
  if (keys.length === 0) {
    return [
      unknown('Whether others were shown the same log: give the keys of its witnesses, or compare roots with them.'),
    ];
  }
  return await Promise.all(
    keys.map(async (key) => {
      const cosigned = cosignatureBy(checkpoint, key);
      if (cosigned === undefined) return unknown(`Whether ${key.name} saw this checkpoint: it has not signed it.`);
      const message = cosignedMessage(checkpoint.message, cosigned.unixSeconds);
      const genuine = await tools.verifyEd25519(key.publicKey, message, cosigned.signature);
      const when = new Date(cosigned.unixSeconds * 1000).toISOString();
      return genuine
        ? right(`${key.name} saw the same log, at ${when}.`)
        : wrong(`The signature of ${key.name} is false.`);
    }),
  );
}

/** An exported event: is it, word for word, the one that was put into the log? */
export async function checkExportedEvent(tools: Tools, document: unknown, trust: Trust): Promise<Finding[]> {
  const exported = parseExportedEvent(document);
  if (exported === undefined) return [wrong('This is no event exported from a Careseal audit log.')];
  const merkle = createMerkle(tools.sha256);
  const { leaf, leafBytes, path, checkpoint: note, verifierKey } = exported;
  const committed = isCommittedTo(tools.sha256, exported);
  const findings = [
    committed
      ? right(`The event (${leaf.event}, ${new Date(leaf.recordedMs).toISOString()}) is the one its leaf was made of.`)
      : wrong('The event is not the one its leaf was made of: it was changed after it was recorded.'),
  ];
  const { checkpoint, findings: signatures } = await checkCheckpoint(tools, note, { trust, stated: verifierKey });
  if (checkpoint !== undefined) {
    const { size, root } = checkpoint;
    const claim = { leafHash: merkle.leafHash(leafBytes), index: leaf.index, size, path, root };
    const place = `number ${leaf.index} of the ${size} events under the checkpoint`;
    findings.push(verifyInclusion(merkle, claim) ? right(`It is ${place}.`) : wrong(`It is not ${place}.`));
  }
  return [...findings, ...signatures];
}

/** A copy of what the server shows under `/audit/log/`, by the same paths. */
export interface LogFiles {
  read(path: string): Promise<Uint8Array | undefined>;
}

export interface Recount {
  readonly findings: Finding[];
  readonly size: number;
  /** Base64. */
  readonly rootHash: string;
}

/** Counts a whole log again, leaf by leaf, and holds it to checkpoints that were kept before. */
export async function recountLog(
  tools: Tools,
  files: LogFiles,
  given: { readonly trust: Trust; readonly kept: readonly Checkpoint[]; onProgress?(done: number, size: number): void },
): Promise<Recount> {
  const note = await files.read('checkpoint');
  if (note === undefined) return { findings: [wrong('There is no checkpoint in this folder.')], size: 0, rootHash: '' };
  const stated = await files.read('verifier-key');
  const { checkpoint, findings } = await checkCheckpoint(tools, utf8Decode(note), {
    trust: given.trust,
    ...(stated === undefined ? {} : { stated: utf8Decode(stated).trim() }),
  });
  if (checkpoint === undefined) return { findings, size: 0, rootHash: '' };
  const merkle = createMerkle(tools.sha256);
  const range = createCompactRange(merkle);
  const { size } = checkpoint;
  const roots = new Map<number, Uint8Array>();
  for (let number = 0; number * TILE_WIDTH < size; number++) {
    const width = Math.min(TILE_WIDTH, size - number * TILE_WIDTH);
    const problem = await countBundle({ tools, files, roots }, { number, width }, (hash) => {
      range.append(hash);
      if (given.kept.some((one) => one.size === range.size)) roots.set(range.size, merkle.foldPeaks(range.peaks()));
    });
    if (problem !== undefined) return { findings: [...findings, problem], size, rootHash: '' };
    given.onProgress?.(number * TILE_WIDTH + width, size);
  }
  const root = merkle.foldPeaks(range.peaks());
  findings.push(
    equalBytes(root, checkpoint.root)
      ? right(`All ${size} leaves were counted again and give the root that was signed.`)
      : wrong('The leaves do not give the root that was signed.'),
    ...given.kept.map((one) => compareKept(one, { size, roots })),
  );
  return { findings, size, rootHash: toBase64(root) };
}

interface Counting {
  readonly tools: Tools;
  readonly files: LogFiles;
  readonly roots: ReadonlyMap<number, Uint8Array>;
}

/** Reads one bundle of entries; answers what is wrong with it. */
async function countBundle(
  { tools, files }: Counting,
  { number, width }: { readonly number: number; readonly width: number },
  append: (hash: Uint8Array) => void,
): Promise<Finding | undefined> {
  const merkle = createMerkle(tools.sha256);
  const path = tilePath({ level: 'entries', number, width });
  const bytes = await files.read(path);
  if (bytes === undefined) return wrong(`${path} is missing.`);
  const entries = parseEntries(bytes);
  if (entries?.length !== width) return wrong(`${path} does not hold ${width} entries.`);
  const hashes: Uint8Array[] = [];
  for (const [i, entry] of entries.entries()) {
    if (parseLeaf(entry)?.index !== number * TILE_WIDTH + i) return wrong(`${path} holds an entry of another number.`);
    hashes.push(merkle.leafHash(entry));
  }
  const tile = await files.read(tilePath({ level: 0, number, width }));
  if (tile !== undefined && !hashes.every((hash, i) => equalBytes(hash, tile.subarray(i * 32, i * 32 + 32)))) {
    return wrong(`Tile 0/${number} is not that of its entries.`);
  }
  for (const hash of hashes) append(hash);
  return undefined;
}

function compareKept(
  kept: Checkpoint,
  log: { readonly size: number; readonly roots: ReadonlyMap<number, Uint8Array> },
): Finding {
  if (kept.size > log.size)
    return wrong(`You kept a checkpoint of ${kept.size} events; this log has only ${log.size}.`);
  const root = kept.size === 0 ? kept.root : log.roots.get(kept.size);
  return root !== undefined && equalBytes(root, kept.root)
    ? right(`Nothing that was under your checkpoint of ${kept.size} events was changed, removed or put in.`)
    : wrong(`The log is another one than the one you kept a checkpoint of (${kept.size} events).`);
}
