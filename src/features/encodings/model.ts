/**
 * Linkage between two programmes that may not show each other their clients: each encodes its records into Bloom filters under
 * a key that only the two know, and somebody compares the filters. Method: cryptographic long-term keys (Schnell, Bachteler,
 * Reiher 2011), positions drawn at random per value instead of by double hashing (Niedermeyer et al. 2014), hardened by balancing
 * (Schnell, Borgs 2016) or XOR-folding (Schnell, Borgs 2016). What the result still gives away: README.md.
 */

/** How a finished filter is hardened against reading values out of its bits. */
export type Hardening = 'balanced' | 'xor-folded';

/** What both programmes must share, and nobody else. `key` is 32 bytes. */
export interface EncodingProject {
  readonly name: string;
  readonly key: Uint8Array;
  readonly hardening: Hardening;
}

/** One encoded record: a random name that only the encoding programme can trace back, and the hardened filter. */
export interface EncodedRecord {
  readonly id: string;
  readonly bits: Uint8Array;
}

/** The first line of a file of encoded records. `fingerprint` tells two projects apart without giving their key away. */
export interface EncodedHeader {
  readonly format: 'careseal-encoded/1';
  readonly project: string;
  readonly fingerprint: string;
  readonly hardening: Hardening;
  /** Bits of each filter. */
  readonly bits: number;
  readonly records: number;
}

/** Two encoded records that are probably one person. */
export interface EncodedPair {
  readonly a: string;
  readonly b: string;
  /** 0–1; 1 means the same bits. */
  readonly similarity: number;
  readonly grade: 'certain' | 'probable';
}
