import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Audit } from '../features/audit/index.ts';
import { Problem } from '../kernel/problem.ts';
import { makeDirectory } from '../platform/home/index.ts';
import type { Command } from './command.ts';
import { writePrivate } from './private-file.ts';

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'Recompute the whole audit log and compare it with what was signed',
  positional: [],
  options: {
    since: {
      kind: 'value',
      valueName: 'FILE',
      description: 'A head kept outside (a file from `careseal audit head`): the log must have grown out of it',
    },
    checkpoint: { kind: 'value', valueName: 'FILE', description: 'Another name of --since' },
  },
  json: true,
  help: `Opens every event and recomputes its commitment, the Merkle tree and every signed head. Exit code 1 when
anything does not fit. Whoever has the database and the keys of this server could still have cut off the end: only a
head kept elsewhere shows that, so keep one, often, and give it with --since. Somebody who does not trust this server
runs careseal-verify.mjs on what "careseal audit export" writes instead.`,
  async run({ value, out, withServices }) {
    const kept = [value('since'), value('checkpoint')].filter((file) => file !== undefined);
    const knownCheckpoints = kept.map(readCheckpoint);
    const found = await withServices(async ({ audit, logFollowers, actor }) => {
      const log = await audit.verify({
        knownCheckpoints,
        onProgress: (done, size) => out.progress(`${done} of ${size} events checked`),
      });
      const received = await logFollowers.atna.verifyReceived();
      const verified = { ...log, ok: log.ok && received.ok, received };
      await audit.recordNow([
        {
          actor,
          event: 'audit.verify',
          action: 'E',
          outcome: verified.ok ? 'success' : 'serious-failure',
          detail: {
            size: String(verified.size),
            rootHash: verified.rootHash,
            problems: String(verified.problems.length + received.problems.length),
          },
        },
      ]);
      return verified;
    });
    out.json(found);
    for (const { batch, events, bytes, because } of found.setAside) {
      out.line(
        `Lost before it was numbered: batch ${batch} of ${events} events, ${bytes} bytes; event ${because} says who set it aside and why.`,
      );
    }
    if (found.ok) {
      out.line(
        `The log is whole: ${found.size} events, ${found.checkpointsChecked} signed heads, ${found.erased} erased.`,
      );
      const { checked, erased } = found.received;
      if (checked > 0) out.line(`Events of other systems are as they came: ${checked}.`);
      if (erased > 0) out.line(`Events of other systems that were erased: ${erased}.`);
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
    for (const { code, id, detail } of found.received.problems) out.line(`  ${code}: ${detail} (${id})`);
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

export const auditExport: Command = {
  name: 'audit export',
  summary: 'Write an event with its proof, or the whole tree, for somebody outside to check',
  positional: [],
  options: {
    event: { kind: 'value', valueName: 'ID', description: 'One event; without it the tree, which names nobody' },
    out: { kind: 'value', valueName: 'PATH', required: true, description: 'File for an event, folder for the tree' },
  },
  json: true,
  help: `Whoever gets this checks it with careseal-verify.mjs or careseal-verify.html ("node scripts/build-verifier.ts" makes both; the
Audit page offers them too), which need neither this server nor a network. Give them the verifier key by another way.`,
  async run({ value, required, out, withServices }) {
    const id = value('event');
    const path = resolve(required('out'));
    const events = await withServices(async ({ audit, actor }) => {
      await audit.sequence().catch(() => undefined);
      const count = id === undefined ? await writeTree(audit.export, path) : await writeEvent(audit.export, id, path);
      const entities = id === undefined ? [] : [{ reference: `AuditEvent/${id}` }];
      await audit.recordNow([{ actor, event: 'audit.export', action: 'R', outcome: 'success', entities }]);
      return count;
    });
    out.json({ path, events });
    out.line(
      id === undefined ? `The tree of ${events} events is in ${path}` : `The event and its proof are in ${path}`,
    );
  },
};

async function writeEvent(from: Audit['export'], id: string, path: string): Promise<number> {
  await writePrivate(path, [await from.event(id)]);
  return 1;
}

async function writeTree(from: Audit['export'], folder: string): Promise<number> {
  return await from.tree(async (path, bytes) => {
    const file = join(folder, ...path.split('/'));
    makeDirectory(dirname(file), 0o755);
    await writeFile(file, bytes);
  });
}

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
