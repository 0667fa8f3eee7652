import type { z } from 'zod';
import { Failure, failureOfAnswer, failureOfNetwork, failureOfShape } from './failure.ts';

/**
 * The one way to the server. Answers are parsed with the schemas of the features' `wire.ts`, so a page never works on a
 * shape it only hopes for. Unsafe methods carry `X-Careseal: 1`, which a foreign site cannot send (CSRF).
 */
const SESSION_ENDED = 'session-ended';
const events = new EventTarget();

/** Calls back when the server says that nobody is signed in any more (401 outside of sign-in itself). */
export function onSessionEnded(listener: () => void): () => void {
  events.addEventListener(SESSION_ENDED, listener);
  return () => events.removeEventListener(SESSION_ENDED, listener);
}

let askForProof: (() => Promise<boolean>) | undefined;

/** Whoever can ask for a fresh proof (the frame). A request that needs one waits for the answer and is sent once more. */
export function answerStepUp(ask: () => Promise<boolean>): () => void {
  askForProof = ask;
  return () => {
    if (askForProof === ask) askForProof = undefined;
  };
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** A 401 here means a wrong password or code, not an ended session. */
  readonly signingIn?: boolean;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

async function call(method: Method, path: string, body: unknown, options: RequestOptions): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-careseal'] = '1';
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw failureOfNetwork(error);
  }
  const answer = await bodyOf(response);
  if (response.ok) return answer;
  if (response.status === 401 && !options.signingIn) events.dispatchEvent(new Event(SESSION_ENDED));
  const failure = failureOfAnswer(response.status, answer, response.headers);
  if (failure.code === 'step-up-needed' && (await askForProof?.())) return await call(method, path, body, options);
  throw failure;
}

function parsed<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const result = schema.safeParse(answer);
  if (!result.success) throw failureOfShape(result.error);
  return result.data;
}

export const api = {
  async get<S extends z.ZodType>(path: string, schema: S, options: RequestOptions = {}): Promise<z.output<S>> {
    return parsed(schema, await call('GET', path, undefined, options));
  },
  async send<S extends z.ZodType>(
    method: Exclude<Method, 'GET'>,
    path: string,
    schema: S,
    body?: unknown,
    options: RequestOptions = {},
  ): Promise<z.output<S>> {
    return parsed(schema, await call(method, path, body, options));
  },
  /** An answer to be kept as a file. */
  async file(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Blob> {
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers: { 'x-careseal': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        credentials: 'same-origin',
        cache: 'no-store',
      });
    } catch (error) {
      throw failureOfNetwork(error);
    }
    if (response.ok) return await response.blob();
    if (response.status === 401) events.dispatchEvent(new Event(SESSION_ENDED));
    throw failureOfAnswer(response.status, await bodyOf(response), response.headers);
  },
  /** Where the answer does not matter. */
  async act(method: Exclude<Method, 'GET'>, path: string, body?: unknown, options: RequestOptions = {}): Promise<void> {
    await call(method, path, body, options);
  },
};

export interface UploadOptions<S extends z.ZodType> {
  readonly path: string;
  readonly file: File;
  readonly contentType: string;
  readonly schema: S;
  readonly signal: AbortSignal;
  onProgress(sentBytes: number): void;
}

/** Streams a file up. XMLHttpRequest, because fetch does not tell how much has been sent. */
export function upload<S extends z.ZodType>(options: UploadOptions<S>): Promise<z.output<S>> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', options.path);
    request.responseType = 'json';
    request.setRequestHeader('x-careseal', '1');
    request.setRequestHeader('content-type', options.contentType);
    request.setRequestHeader('x-file-name', encodeURIComponent(options.file.name));
    request.upload.onprogress = (progress) => options.onProgress(progress.loaded);
    request.onerror = () => reject(failureOfNetwork(undefined));
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.onload = () => {
      if (request.status === 401) events.dispatchEvent(new Event(SESSION_ENDED));
      if (request.status < 200 || request.status >= 300) {
        reject(failureOfAnswer(request.status, request.response));
        return;
      }
      const result = options.schema.safeParse(request.response);
      if (result.success) resolve(result.data);
      else reject(failureOfShape(result.error));
    };
    options.signal.addEventListener('abort', () => request.abort());
    request.send(options.file);
  });
}

/** Worth another try by itself: the network or a busy server, never a refusal. */
export function isPassing(error: unknown): boolean {
  return error instanceof Failure && (error.status === 0 || error.status === 503);
}
