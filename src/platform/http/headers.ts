/** Header sets, made once at start; nothing here is computed per request except a nonce. Reference: OWASP ASVS 5.0 V3.4. */
export type HeaderSet = Readonly<Record<string, string>>;

const PERMISSIONS_POLICY = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'screen-wake-lock',
  'usb',
  'xr-spatial-tracking',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/** Two years, the minimum of Mozilla's guideline 6.0. `includeSubDomains` would speak for hosts that are not ours. */
const HSTS = 'max-age=63072000';

const COMMON: HeaderSet = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** Answers that are data: nothing in them may run or be framed even when a browser is tricked into rendering them. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function dataHeaders(secure: boolean): HeaderSet {
  return {
    ...COMMON,
    ...(secure ? { 'strict-transport-security': HSTS } : {}),
    'content-security-policy': DATA_POLICY,
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  };
}

/** Pages: the strict policy; `nonce` only where index.html asks for one (see site.ts). */
export function pagePolicy(nonce?: string): string {
  const style = nonce === undefined ? "style-src 'self'" : `style-src 'self' 'nonce-${nonce}'`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    style,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

export function pageHeaders(): HeaderSet {
  return {
    ...COMMON,
    'strict-transport-security': HSTS,
    'content-security-policy': pagePolicy(),
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'permissions-policy': PERMISSIONS_POLICY,
    'cache-control': 'no-store',
  };
}

/** Files whose name holds a hash of their content never change. */
export function assetHeaders(immutable: boolean): HeaderSet {
  return {
    ...COMMON,
    'strict-transport-security': HSTS,
    'content-security-policy': DATA_POLICY,
    'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}
