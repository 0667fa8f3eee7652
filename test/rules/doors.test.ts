import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Walls that are not imports: names that only one folder may use. */
const PROGRAM = join(import.meta.dirname, '../..');

interface Door {
  readonly what: string;
  readonly pattern: RegExp;
  /** Folders and files that may. */
  readonly allowed: readonly string[];
  /** A line that must be caught. */
  readonly example: string;
}

const PURE = /^src\/(kernel|features\/matching)\/|^src\/features\/[^/]+\/(model|rules|wire(-[a-z]+)?)\.ts$/;

const DOORS: readonly Door[] = [
  {
    what: 'the environment is read in platform/config',
    pattern: /\bprocess\.env\b|\bimport\.meta\.env\b/,
    allowed: ['src/platform/config/'],
    example: `const home = process.env['HOME'];`,
  },
  {
    what: 'receipts are issued by the audit log',
    pattern: /\bissueAuditReceipt\b/,
    allowed: ['src/features/audit/', 'src/platform/http/'],
    example: 'return issueAuditReceipt();',
  },
  {
    what: 'WebCrypto is used in crypto/',
    pattern: /\bcrypto\.(subtle|getRandomValues|randomUUID|randomBytes)\b|\bwebcrypto\b/,
    allowed: ['src/crypto/', 'src/platform/tls/'],
    example: 'await crypto.subtle.digest(x, y);',
  },
  {
    what: 'requests go out from platform/, and from pages to their own server',
    pattern: /(?<![.\w])fetch\(|\bXMLHttpRequest\b|\bnew WebSocket\b/,
    allowed: ['src/platform/', 'src/web/'],
    example: 'const answer = await fetch(url);',
  },
  {
    what: 'chance comes from crypto/',
    pattern: /\bMath\.random\b/,
    allowed: [],
    example: 'const id = Math.random();',
  },
  {
    what: 'nothing is run that was not written here',
    pattern: /\beval\(|\bnew Function\(|dangerouslySetInnerHTML|\.innerHTML\s*=/,
    allowed: [],
    example: 'new Function(text)()',
  },
  {
    what: 'the compiler is never silenced',
    pattern: /@ts-(ignore|nocheck|expect-error)/,
    allowed: [],
    example: '// @ts-ignore',
  },
];

const sources = readdirSync(join(PROGRAM, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path.replaceAll('\\', '/')}`)
  .filter((path) => /\.tsx?$/.test(path) && !/\.(test|bench)\.tsx?$/.test(path))
  .map((path) => ({ path, lines: readFileSync(join(PROGRAM, path), 'utf8').split('\n') }));

function offenders({ pattern, allowed }: Pick<Door, 'pattern' | 'allowed'>): string[] {
  return sources
    .filter(({ path }) => !allowed.some((place) => path.startsWith(place)))
    .flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => (pattern.test(withoutComment(line)) ? [`${path}:${index + 1}`] : [])),
    );
}

/** Prose may speak of what code must not do; the compiler's own pragmas are comments and stay. */
function withoutComment(line: string): string {
  return /@ts-/.test(line) ? line : line.replace(/^\s*(\/\*)?\*.*|^\s*\/\*\*.*|\/\/.*/, '');
}

describe.each(DOORS)('$what', (door) => {
  it('would be noticed', () => {
    expect(door.pattern.test(withoutComment(door.example))).toBe(true);
  });
  it('holds', () => {
    expect(offenders(door)).toEqual([]);
  });
});

it('pure code reads no clock', () => {
  const pattern = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/;
  expect(pattern.test('const now = Date.now();')).toBe(true);
  expect(offenders({ pattern, allowed: [] }).filter((place) => PURE.test(place.replace(/:\d+$/, '')))).toEqual([]);
});

it('files keep to 400 lines', () => {
  expect(sources.filter(({ lines }) => lines.length > 401).map(({ path }) => path)).toEqual([]);
});
