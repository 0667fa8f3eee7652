import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Looks for secrets the way a thief would: in bytes, in any usual writing, and by hashes that need no key. */
export interface Needle {
  readonly secret: string;
  readonly form: string;
  /** Lower-case ASCII letters where `anyCase`. */
  readonly bytes: Buffer;
  readonly anyCase: boolean;
}

/** Every writing of a secret that is long enough to be no accident. */
export function needlesOf(secrets: readonly string[], options: { readonly hashes?: boolean } = {}): Needle[] {
  return secrets.flatMap((secret) => {
    const plain = [
      ...new Set([secret, secret.normalize('NFD'), withoutMarks(secret), JSON.stringify(secret).slice(1, -1)]),
    ];
    const words = plain.map((text) => needle(secret, 'text', Buffer.from(text.toLowerCase()), true));
    const wide = needle(secret, 'UTF-16', Buffer.from(secret.toLowerCase(), 'utf16le'), true);
    const coded = [secret, secret.toLowerCase(), secret.toUpperCase(), withoutMarks(secret).toLowerCase()].flatMap(
      (text) => {
        const bytes = Buffer.from(text);
        return [
          needle(secret, 'hexadecimal', Buffer.from(bytes.toString('hex')), true),
          ...[0, 1, 2].map((shift) => needle(secret, 'base64', Buffer.from(base64Inside(bytes, shift)), false)),
          ...(options.hashes === false ? [] : ['sha256', 'sha1', 'md5']).flatMap((algorithm) => {
            const digest = createHash(algorithm).update(bytes).digest();
            return [
              // The first 64 bits, either way round: how an unkeyed token would lie in a bigint.
              needle(secret, algorithm, digest.subarray(0, 8), false),
              needle(secret, algorithm, Buffer.from(digest.subarray(0, 8).toReversed()), false),
              needle(secret, algorithm, Buffer.from(digest.toString('hex')), true),
            ];
          }),
        ];
      },
    );
    return [...words, wide, ...coded].filter(({ bytes }) => bytes.length >= 6);
  });
}

function needle(secret: string, form: string, bytes: Buffer, anyCase: boolean): Needle {
  return { secret, form, bytes: anyCase ? (bytes.map(asciiLower) as Buffer) : bytes, anyCase };
}

function withoutMarks(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '');
}

/** What of the base64 of a longer text does not depend on what stands around these bytes. */
function base64Inside(bytes: Buffer, shift: number): string {
  const coded = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replaceAll('=', '');
  return coded.slice(shift === 0 ? 0 : shift + 1, -1);
}

/** ASCII letters only: bytes of other letters and of binary data must stay as they are. */
function asciiLower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => asciiLower(byte));

/** Needles by their first three bytes: hundreds of megabytes are gone through once, whatever the number of needles. */
export class LeakFinder {
  readonly #starts = new Uint8Array(1 << 24);
  readonly #byStart = new Map<number, Needle[]>();

  constructor(needles: readonly Needle[]) {
    for (const one of needles) {
      const start = startOf(one.bytes, 0, (byte) => asciiLower(byte));
      this.#starts[start] = 1;
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), one]);
    }
  }

  /** Which secrets are in these bytes: `secret (form)`. */
  leaksIn(bytes: Uint8Array): string[] {
    const found = new Set<string>();
    const starts = this.#starts;
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      start = ((start << 8) | (LOWER[bytes[at] as number] as number)) & 0xffffff;
      if (starts[start] === 0) continue;
      for (const one of this.#byStart.get(start) ?? []) {
        if (at >= 2 && isAt(bytes, at - 2, one)) found.add(`${one.secret} (${one.form})`);
      }
    }
    return [...found];
  }
}

function startOf(bytes: Uint8Array, at: number, map: (byte: number) => number): number {
  const part = (offset: number): number => map(bytes[at + offset] ?? 0);
  return (part(0) << 16) | (part(1) << 8) | part(2);
}

function isAt(bytes: Uint8Array, at: number, { bytes: wanted, anyCase }: Needle): boolean {
  for (let i = 0; i < wanted.length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined || (anyCase ? LOWER[byte] : byte) !== wanted[i]) return false;
  }
  return true;
}

export interface Leak {
  readonly file: string;
  readonly leaks: readonly string[];
}

/** Looks into every file below a directory; files that vanish meanwhile are left out. */
export async function leaksBelow(directory: string, finder: LeakFinder): Promise<{ files: number; leaks: Leak[] }> {
  const leaks: Leak[] = [];
  let files = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes === undefined) continue;
    files++;
    const found = finder.leaksIn(bytes);
    if (found.length > 0) leaks.push({ file, leaks: found });
  }
  return { files, leaks };
}
