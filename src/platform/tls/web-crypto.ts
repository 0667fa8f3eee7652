import type { X509CertificateGenerator } from '@peculiar/x509';
import { webCrypto } from '../../crypto/index.ts';

type LibraryCrypto = NonNullable<Parameters<typeof X509CertificateGenerator.create>[1]>;

/**
 * Node's WebCrypto as @peculiar/x509 declares it. The library names the global `Crypto`, which is the DOM's type where tests
 * are compiled and Node's elsewhere; at run time it is one object.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- needed where tests are compiled, see above
export const x509Crypto = webCrypto as LibraryCrypto;
export type X509Key = Awaited<ReturnType<LibraryCrypto['subtle']['importKey']>>;
