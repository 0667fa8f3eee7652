import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A passkey in software: a real P-256 key, real CBOR, real signatures. Tests bend single parts of its answers. */
export interface Bend {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  /** Without user verification (only a touch). */
  readonly unverified?: boolean;
  readonly counter?: number;
  readonly userHandle?: string;
  readonly type?: string;
}

interface Options {
  readonly challenge: string;
  readonly rpId?: string;
  readonly rp?: { readonly id: string };
  readonly user?: { readonly id: string };
}

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();
const b64 = (data: Uint8Array): string => Buffer.from(data).toString('base64url');

export class SoftPasskey {
  readonly id = b64(randomBytes(32));
  counter = 0;
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #origin: string;
  readonly #options: Options;
  readonly userHandle: string;

  private constructor(options: Options, origin: string) {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = pair.privateKey;
    this.#publicKey = pair.publicKey;
    this.#origin = origin;
    this.#options = options;
    this.userHandle = options.user?.id ?? '';
  }

  /** For the options of a registration. */
  // oxlint-disable-next-line typescript/require-await -- may become a real authenticator's dialogue
  static async make(options: Options, origin: string): Promise<SoftPasskey> {
    return new SoftPasskey(options, origin);
  }

  registration(bend: Bend = {}): object {
    const attested = Buffer.concat([Buffer.alloc(16), u16(32), Buffer.from(this.id, 'base64url'), this.#coseKey()]);
    const authData = this.#authenticatorData(0x40, bend, attested);
    const attestationObject = Buffer.concat([
      Buffer.from([0xa3]),
      cborText('fmt'),
      cborText('none'),
      cborText('attStmt'),
      Buffer.from([0xa0]),
      cborText('authData'),
      cborBytes(authData),
    ]);
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', this.#options, bend),
        attestationObject: b64(attestationObject),
        transports: ['internal'],
      },
    };
  }

  assertion(options: Options, bend: Bend = {}): object {
    this.counter = bend.counter ?? this.counter + 1;
    const authData = this.#authenticatorData(0, { ...bend, rpId: bend.rpId ?? options.rpId ?? '' });
    const clientDataJSON = this.#clientData('webauthn.get', options, bend);
    const signed = Buffer.concat([authData, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
    return {
      ...this.#credential(),
      response: {
        clientDataJSON,
        authenticatorData: b64(authData),
        signature: b64(sign('sha256', signed, this.#key)),
        userHandle: bend.userHandle ?? this.userHandle,
      },
    };
  }

  #credential() {
    return { id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} };
  }

  #clientData(type: string, { challenge }: Options, bend: Bend): string {
    const data = {
      type: bend.type ?? type,
      challenge: bend.challenge ?? challenge,
      origin: bend.origin ?? this.#origin,
    };
    return b64(Buffer.from(JSON.stringify(data)));
  }

  #authenticatorData(flags: number, bend: Bend, attested = Buffer.alloc(0)): Buffer {
    const rpId = bend.rpId ?? this.#options.rp?.id ?? '';
    const present = bend.unverified === true ? 0x01 : 0x05;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([sha256(rpId), Buffer.from([present | flags]), counter, attested]);
  }

  /** COSE_Key: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}. */
  #coseKey(): Buffer {
    const jwk = this.#publicKey.export({ format: 'jwk' });
    const x = Buffer.from(jwk.x ?? '', 'base64url');
    const y = Buffer.from(jwk.y ?? '', 'base64url');
    const head = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]);
    return Buffer.concat([head, cborBytes(x), Buffer.from([0x22]), cborBytes(y)]);
  }
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

const cborText = (text: string): Buffer => Buffer.concat([Buffer.from([0x60 | text.length]), Buffer.from(text)]);

function cborBytes(bytes: Uint8Array): Buffer {
  const head =
    bytes.length < 256 ? Buffer.from([0x58, bytes.length]) : Buffer.concat([Buffer.from([0x59]), u16(bytes.length)]);
  return Buffer.concat([head, bytes]);
}
