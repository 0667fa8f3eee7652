import { setImmediate as nextTurn } from 'node:timers/promises';
import { equalBytes } from '../../kernel/bytes.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { encodeLeaf } from '../../verifier/index.ts';
import type { Signer } from './signer.ts';
import { merkle, readEdge, TreeDamaged } from './tile-reader.ts';
import { type Edge, EMPTY_EDGE, grow, rootOfEdge } from './tree-edge.ts';
import * as store from './tree-store.ts';

/** What one round did. `busy`: another process is sequencing. `waiting`: committed events are left for a later round. */
export type Round =
  | { readonly kind: 'busy' }
  | { readonly kind: 'done'; readonly added: number; readonly waiting: boolean };

export interface RoundDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly signer: () => Promise<Signer>;
}

/** Events per statement: as many as are hashed without holding up the requests of this process. */
const CHUNK = 1024;
/** Events per transaction and checkpoint. */
const ROUND_MAX = 16 * CHUNK;

/**
 * Makes the function that takes the next events into the tree. A round is one transaction: leaves, complete tiles and the
 * signed checkpoint are there together or not at all, so a crash at any point leaves no gap. The advisory lock lets one round
 * run at a time in the whole cluster, and the primary keys of leaf, tile and checkpoint would refuse a second one: no fork.
 */
export function createRound({ database, clock, signer }: RoundDeps): () => Promise<Round> {
  // What the last committed round left; read anew whenever another process has been at work since.
  let known: Edge | undefined;

  return async () => {
    let grown: Edge | undefined;
    // Before the transaction: it may need a connection of its own, and must be there even if this round comes to nothing.
    const signing = await signer();
    const round = await database.transaction<Round>(async (tx) => {
      if (!(await store.tryLock(tx))) return { kind: 'busy' };
      const head = await store.readHead(tx);
      const edge = await edgeAt(tx, head, known);
      const start = await positionAfter(tx, head);
      const taken = await takeAll(tx, edge, start);
      grown = taken.edge;
      const added = taken.edge.size - edge.size;
      if (added > 0) await sign(tx, signing, taken);
      const waiting = (await store.pendingEvents(tx, taken.position, 1)).count > 0;
      return { kind: 'done', added, waiting };
    });
    if (grown !== undefined) known = grown;
    return round;
  };

  async function sign(tx: Transaction, signing: Signer, { edge, position }: Taken): Promise<void> {
    const signedAtMs = clock.nowMs();
    const root = rootOfEdge(merkle, edge);
    const note = signing.sign({ size: edge.size, root, signedAt: instant(signedAtMs) });
    await store.insertCheckpoint(tx, {
      size: edge.size,
      root,
      note,
      signedAtMs,
      throughXid: position.xid,
      throughSeq: position.seq,
      eraSeq: position.eraSeq,
    });
  }
}

/** The edge at the head, from memory if this process made it, and always checked against the root that was signed. */
async function edgeAt(tx: Transaction, head: store.CheckpointRow | undefined, known: Edge | undefined): Promise<Edge> {
  if (head === undefined) return EMPTY_EDGE;
  const edge = known?.size === head.size ? known : await readEdge(tx, head.size);
  if (!equalBytes(rootOfEdge(merkle, edge), head.root))
    throw new TreeDamaged(`the head of ${head.size} has another root`);
  return edge;
}

interface Start {
  readonly position: store.Position;
  /** After a restore: the events of the old cluster that had no leaf yet come first, whatever their transaction numbers. */
  readonly leftOver: boolean;
}

const BEGINNING: store.Position = { xid: '0', seq: 0n, eraSeq: 0n };

async function positionAfter(tx: Transaction, head: store.CheckpointRow | undefined): Promise<Start> {
  if (head === undefined) return { position: BEGINNING, leftOver: false };
  const position = { xid: head.throughXid, seq: head.throughSeq, eraSeq: head.eraSeq };
  return { position, leftOver: await store.wasRestored(tx, head.throughXid) };
}

interface Taken {
  readonly edge: Edge;
  readonly position: store.Position;
}

async function takeAll(tx: Transaction, from: Edge, start: Start): Promise<Taken> {
  let { edge, position } = { edge: from, position: start.position };
  let { leftOver } = start;
  while (edge.size - from.size < ROUND_MAX) {
    const { leaves, last } = await store.takeEvents(tx, {
      after: position,
      firstIndex: edge.size,
      limit: CHUNK,
      leftOver,
    });
    const growth = grow(
      merkle,
      edge,
      leaves.map((leaf) => merkle.leafHash(encodeLeaf(leaf))),
    );
    for (const tile of growth.tiles) await store.insertTile(tx, tile);
    edge = growth.edge;
    if (last !== undefined) position = { ...position, xid: last.xid, seq: last.seq };
    if (leaves.length < CHUNK) {
      if (!leftOver) break;
      // The old cluster's events are all in; from here on the new one's transactions count, from its beginning.
      leftOver = false;
      position = { xid: '0', seq: 0n, eraSeq: await store.lastSequencedSeq(tx) };
    }
    await nextTurn();
  }
  return { edge, position };
}
