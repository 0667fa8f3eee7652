/** How fast a generated file is linked: `npm run bench -- linkage-speed [--people 770000] [--seed 7] [--times 3]`. */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { evaluate } from '../src/features/linkage/index.ts';
import { MapDocument } from '../src/features/load/wire.ts';
import { CSV_HEADER, CSV_MAP, csvLine, people } from './people.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '770000' },
    seed: { type: 'string', default: '7' },
    times: { type: 'string', default: '3' },
  },
});

function* lines(): Generator<string> {
  let piece = `${CSV_HEADER}\n`;
  for (const record of people({ count: Number(values.people), seed: Number(values.seed), duplicates: 0.3 })) {
    piece += `${csvLine(record)}\n`;
    if (piece.length < 1_000_000) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

const folder = mkdtempSync(join(tmpdir(), 'careseal-speed-'));
try {
  const path = join(folder, 'people.csv');
  await pipeline(Readable.from(lines()), createWriteStream(path));
  const map = MapDocument.parse(CSV_MAP);
  for (let time = 0; time < Number(values.times); time++) {
    const before = process.cpuUsage();
    const found = await evaluate({
      path,
      map,
      truth: 'person',
      seed: 1,
      today: '2026-01-01',
      nowMs: () => performance.now(),
    });
    const { user, system } = process.cpuUsage(before);
    const steps = Object.entries(found.steps).map(([step, seconds]) => `${step} ${seconds.toFixed(1)} s`);
    console.log(
      `${found.records} records: ${found.seconds.toFixed(1)} s by the clock, ${((user + system) / 1e6).toFixed(1)} s of processor time, ` +
        `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most; ${steps.join(', ')}; ${found.blocking.pairsCompared} pairs; ` +
        `links ${found.linked.precision.toFixed(4)} / ${found.linked.recall.toFixed(4)}, groups F1 ${found.clusters.f1.toFixed(4)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
