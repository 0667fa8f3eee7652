/**
 * Whoever makes rounds of a large load: this thread, or one beside it. Takes a `RoundToMake`, answers a `PackedRound` (load-making.ts),
 * which pass between threads as plain values.
 */
export interface RoundMaker {
  make(round: unknown): Promise<unknown>;
  end(): Promise<void>;
}
