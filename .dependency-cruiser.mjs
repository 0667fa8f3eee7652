/**
 * The walls of the house (ARCHITECTURE.md): kernel ← crypto ← platform ← store ← features ← main ← cli. Every rule is an error
 * and there is no baseline. `test/rules/walls.test.ts` breaks each of them once, to see it fall.
 */

/** Modules of `folder` may use only `allowed` of our own code. */
function only(name, folder, allowed, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: folder, pathNot: TESTS },
    to: { path: '^src/', pathNot: allowed },
  };
}

/** Only `owners` may import `module`. Benchmarks may as well: they build bare skeletons to compare with. */
function door(name, module, owners, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: '^(src|scripts)/', pathNot: [owners, TESTS] },
    to: { path: module },
  };
}

/** Tests, and the plain JavaScript that runs before anything is installed. */
const TESTS = '(\\.(test|bench)\\.tsx?|^scripts/[^/]+\\.mjs)$';
const KERNEL = '^src/kernel/';
const CRYPTO = '^src/crypto/';
const FHIR = '^src/fhir/';
const PLATFORM = '^src/platform/';
/** The Merkle tree and its proofs, in a form that outsiders run; the audit log is built on the same code. */
const VERIFIER = '^src/verifier/';
const STORE = '^src/store/';
const FEATURES = '^src/features/';
/** What a feature shows to others: its door, and types without behaviour. */
const FEATURE_DOORS = '^src/features/[^/]+/(index|model|reading|wire[-a-z]*)\\.ts$';

const core = (modules) => `^(node:)?(${modules})$`;

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'no-tests-in-program',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: ['^test/', TESTS] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^(src|scripts|test|bench)/' },
      to: { couldNotResolve: true, pathNot: ['^virtual:', '^src/web/.+\\?'] },
    },

    only('kernel-imports-nothing', KERNEL, [KERNEL], 'ids, time, Problem, canonical JSON: at the bottom'),
    {
      name: 'kernel-is-pure',
      severity: 'error',
      from: {
        path: [KERNEL, '^src/features/matching/', '^src/features/[^/]+/(model|rules|wire[-a-z]*)\\.ts$'],
        pathNot: TESTS,
      },
      to: { dependencyTypes: ['core'] },
    },
    only('crypto-imports-kernel', CRYPTO, [KERNEL, CRYPTO]),
    only('fhir-imports-kernel-and-crypto', FHIR, [KERNEL, CRYPTO, FHIR]),
    only('platform-knows-no-health', PLATFORM, [KERNEL, CRYPTO, PLATFORM], 'machinery without health knowledge'),
    only('store-below-features', STORE, [KERNEL, CRYPTO, FHIR, PLATFORM, STORE]),
    only('features-below-main', FEATURES, [KERNEL, CRYPTO, FHIR, VERIFIER, PLATFORM, STORE, FEATURES]),
    only('main-below-cli', '^src/main/', ['^src/(?!cli/|web/|verifier/)']),
    only(
      'verifier-stands-alone',
      '^src/verifier/',
      [KERNEL, CRYPTO, FHIR, VERIFIER],
      'an outsider must be able to read all of it',
    ),
    only(
      'web-sees-wires',
      '^src/web/',
      [
        KERNEL,
        '^src/crypto/portable\\.ts$',
        '^src/web/',
        '^src/features/[^/]+/wire[-a-z]*\\.ts$',
        '^src/features/(matching/model|load/map-document)\\.ts$',
      ],
      'the browser gets requests and answers, never a service',
    ),
    {
      name: 'features-through-their-door',
      comment: 'Another feature is reached through its index.ts; its model and wire are types.',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/', pathNot: TESTS },
      to: { path: FEATURES, pathNot: ['^src/features/$1/', FEATURE_DOORS] },
    },
    {
      name: 'others-through-the-features-doors',
      severity: 'error',
      from: { path: '^src/(main|cli)/', pathNot: TESTS },
      to: { path: FEATURES, pathNot: [FEATURE_DOORS] },
    },
    {
      name: 'platform-through-its-doors',
      comment: 'A folder of platform/ is used through index.ts; sql.ts, route.ts and audited.ts are agreed contracts.',
      severity: 'error',
      from: { path: '^src/(?!platform/)', pathNot: TESTS },
      to: {
        path: '^src/platform/[^/]+/',
        pathNot: [
          '^src/platform/[^/]+/index\\.ts$',
          '^src/platform/db/sql\\.ts$',
          '^src/platform/http/(route|audited|address|refusals|peer|cookies)\\.ts$',
        ],
      },
    },
    {
      name: 'order-of-features',
      comment: 'audit at the bottom, then identity and nodes, then matching, registry, then load and home.',
      severity: 'error',
      from: { path: '^src/features/audit/', pathNot: TESTS },
      to: { path: FEATURES, pathNot: '^src/features/audit/' },
    },
    {
      name: 'matching-is-pure',
      severity: 'error',
      from: { path: '^src/features/matching/', pathNot: TESTS },
      to: { path: '^src/', pathNot: ['^src/features/matching/', KERNEL] },
    },
    {
      name: 'identity-and-nodes-below-registry',
      severity: 'error',
      from: { path: '^src/features/(identity|nodes)/', pathNot: TESTS },
      to: { path: '^src/features/(registry|load|home)/' },
    },

    door('one-door-to-crypto', core('crypto'), '^src/crypto/'),
    door('one-door-to-argon2', 'node_modules/@node-rs/', '^src/crypto/'),
    door('one-door-to-sql', 'node_modules/(pg|pg-pool)/', '^src/platform/db/'),
    door('one-door-to-sockets', core('http|https|http2|net|tls|dgram|dns'), '^src/platform/'),
    door('one-door-to-processes', core('child_process|cluster|worker_threads'), '^(src/platform|src/main|scripts)/'),
    door('one-door-to-the-web-server', 'node_modules/(fastify|@fastify)/', '^src/platform/http/'),
    door('one-door-to-the-log', 'node_modules/pino/', '^src/platform/log/'),
    door('one-door-to-metrics', 'node_modules/prom-client/', '^src/(platform/metrics|main)/'),
    door('one-door-to-x509', 'node_modules/(@peculiar|pkijs)/', '^src/platform/tls/'),
    door('database-files-stay-inside', '^src/platform/postgres/', '^src/(platform/postgres|main)/'),
    door(
      'receipts',
      '^src/platform/http/audited\\.ts$',
      '^src/(platform/http|features)/',
      'Who may call issueAuditReceipt is checked by name in test/rules/doors.test.ts.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^src/web/environment\\.d\\.ts$'] },
    tsPreCompilationDeps: true,
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.server.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      mainFields: ['module', 'main', 'types', 'typings'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
    cache: false,
  },
};
