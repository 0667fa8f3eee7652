import { readFileSync } from 'node:fs';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'Recompute the whole audit log and compare it with what was signed',
  positional: [],
  options: {
    checkpoint: {
      kind: 'value',
      valueName: 'FILE',
      description: 'A head kept outside (`careseal audit head`): the log must still contain it',
    },
  },
  json: true,
  help: `Opens every event and recomputes its commitment, the Merkle tree and every signed head. Exit code 1 when
anything does not fit. Whoever has the database and the keys of this server could still have cut off the end: only a
head kept elsewhere shows that, so keep one, often, and give it with --checkpoint.`,
  async run({ value, out, withServices }) {
    const file = value('checkpoint');
    const knownCheckpoints = file === undefined ? [] : [readCheckpoint(file)];
    const found = await withServices(async ({ audit, actor }) => {
      const verified = await audit.verify({
        knownCheckpoints,
        onProgress: (done, size) => out.progress(`${done} of ${size} events checked`),
      });
      await audit.recordNow([
        {
          actor,
          event: 'audit.verify',
          action: 'E',
          outcome: verified.ok ? 'success' : 'serious-failure',
          detail: {
            size: String(verified.size),
            rootHash: verified.rootHash,
            problems: String(verified.problems.length),
          },
        },
      ]);
      return verified;
    });
    out.json(found);
    if (found.ok) {
      out.line(
        `The log is whole: ${found.size} events, ${found.checkpointsChecked} signed heads, ${found.erased} erased.`,
      );
      out.line(`Root: ${found.rootHash}`);
      return 0;
    }
    out.line('The log was changed, or is damaged:');
    for (const { code, index, eventId, detail } of found.problems) {
      const where = [
        index === undefined ? [] : [`leaf ${index}`],
        eventId === undefined ? [] : [`event ${eventId}`],
      ].flat();
      out.line(`  ${code}: ${detail}${where.length === 0 ? '' : ` (${where.join(', ')})`}`);
    }
    if (found.more) out.line('  … and more.');
    out.line('Keep this database as it is, stop writing to it, and compare with a backup.');
    return 1;
  },
};

export const auditHead: Command = {
  name: 'audit head',
  summary: 'Print the signed head of the audit log, to be kept elsewhere',
  positional: [],
  options: {},
  json: true,
  help: 'Give the printed text to somebody outside, or to a printer. `careseal audit verify --checkpoint FILE` holds the log to it.',
  async run({ out, withServices }) {
    const status = await withServices(async ({ audit }) => {
      await audit.sequence();
      return await audit.status();
    });
    if (status.size === 0) {
      throw new Problem(
        'not-found',
        'audit-empty',
        'The audit log is empty: there is no head yet. Start the server once.',
      );
    }
    out.json(status);
    out.line(status.checkpoint.trimEnd());
  },
};

/** A note is a few hundred bytes; whatever else the file is, it is not read as one. */
function readCheckpoint(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, 65_536);
  } catch (cause) {
    throw new Problem(
      'invalid',
      'audit-checkpoint-unreadable',
      `The file ${file} cannot be read. Nothing was verified.`,
      {
        cause,
      },
    );
  }
}
