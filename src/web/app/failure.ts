import { z } from 'zod';

/** problem+json (RFC 9457) as the server sends it. */
const problemSchema = z.object({
  status: z.number().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  requestId: z.string().optional(),
  issues: z
    .array(z.object({ detail: z.string(), expression: z.array(z.string()).optional(), path: z.string().optional() }))
    .optional(),
});

export interface FailureText {
  readonly failed: string;
  readonly unharmed: string;
  readonly todo: string;
}

/** A refused or failed request, told in three parts: what failed, what is unharmed, what to do. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  readonly text: FailureText;
  readonly requestId: string | undefined;
  readonly issues: readonly string[];
  readonly retryAfterSeconds: number | undefined;

  constructor(options: {
    status: number;
    code: string;
    text: FailureText;
    requestId?: string | undefined;
    issues?: readonly string[];
    retryAfterSeconds?: number | undefined;
    cause?: unknown;
  }) {
    super(options.text.failed, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.status = options.status;
    this.code = options.code;
    this.text = options.text;
    this.requestId = options.requestId;
    this.issues = options.issues ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

const NOTHING_CHANGED = 'Nothing was changed.';

function waitText(seconds: number | undefined): string {
  if (seconds === undefined) return 'Wait a minute, then try again.';
  if (seconds < 90) return `Wait ${seconds} seconds, then try again.`;
  return `Wait ${Math.ceil(seconds / 60)} minutes, then try again.`;
}

/** Refusals that deserve their own words; what is missing here follows the status. */
const BY_CODE: Readonly<Record<string, { readonly unharmed?: string; readonly todo: string }>> = {
  'sign-in-refused': {
    unharmed: 'Your account is as it was.',
    todo: 'Type both again. Capital letters count in the password. If it is lost, an administrator can start a reset.',
  },
  'code-refused': {
    unharmed: 'Your account is as it was.',
    todo: 'Wait for the next code and type it. A code works once; the telephone’s clock must be right.',
  },
  'sign-in-expired': {
    unharmed: 'Your account is as it was.',
    todo: 'Start again with the password; there are ten minutes for both steps.',
  },
  'passkey-refused': {
    unharmed: 'Your account is as it was.',
    todo: 'Try once more, or use another way. A passkey works at the address it was made for, and with your finger, face or PIN.',
  },
  'challenge-dead': { todo: 'Begin again; there are ten minutes.' },
  'step-up-needed': { todo: 'Press the button again and give your second factor.' },
  'last-factor': { todo: 'Add another authenticator or passkey first.' },
  'factor-missing': { todo: 'Ask an administrator of your organisation for a link to set one up.' },
  'network-refused': { todo: 'Use the network of your workplace, or ask an administrator.' },
  'network-would-lock-out': { todo: 'Put the network you are in now on the list as well.' },
  'policy-refused': { todo: 'Choose a value within the range.' },
  'password-refused': { todo: 'Choose another password.' },
  'email-taken': { todo: 'Use another address, or look whether this person has an account already.' },
  'last-administrator': { todo: 'Make somebody else administrator first.' },
  'own-rights': { todo: 'Ask another administrator.' },
  'rights-exceed': { todo: 'Ask somebody who has these rights themselves.' },
  'wrong-state': { todo: 'Reload the page to see the present state.' },
  'version-conflict': {
    unharmed: 'Their change is kept; yours was not saved.',
    todo: 'Look at the new state, then repeat what you wanted.',
  },
  'review-already-decided': {
    unharmed: 'The decision that was taken first holds.',
    todo: 'Go on with the next pair, or take the decision back if it is wrong.',
  },
};

/** What each refusal means where neither its code nor the server's own words say more. */
const BY_STATUS: Readonly<Record<number, FailureText>> = {
  401: {
    failed: 'You are not signed in any more.',
    unharmed: 'What you typed on this page is kept until you sign in again.',
    todo: 'Sign in, and you come back to where you were.',
  },
  403: {
    failed: 'Your roles do not allow this.',
    unharmed: NOTHING_CHANGED,
    todo: 'Ask an administrator of your organisation if you need it.',
  },
  404: {
    failed: 'This does not exist, or you may not see it.',
    unharmed: NOTHING_CHANGED,
    todo: 'Go back to the list and choose again.',
  },
  409: {
    failed: 'This does not fit the present state.',
    unharmed: NOTHING_CHANGED,
    todo: 'Look at the present state, then decide again.',
  },
  410: { failed: 'This is not there any more.', unharmed: NOTHING_CHANGED, todo: 'Go back and choose again.' },
  412: {
    failed: 'Somebody else changed this meanwhile.',
    unharmed: 'Their change is kept; yours was not saved.',
    todo: 'Look at the new state, then repeat what you wanted.',
  },
  413: {
    failed: 'This is larger than the server takes.',
    unharmed: NOTHING_CHANGED,
    todo: 'Split it into smaller parts.',
  },
  415: {
    failed: 'The server does not read this kind of file.',
    unharmed: NOTHING_CHANGED,
    todo: 'Save it as CSV or NDJSON and try again.',
  },
  429: { failed: 'Too many tries in a short time.', unharmed: NOTHING_CHANGED, todo: 'Wait a minute, then try again.' },
  503: {
    failed: 'The server is busy or starting.',
    unharmed: 'Nothing was lost and nothing is half done.',
    todo: 'Wait a minute, then try again.',
  },
};

const REFUSED: FailureText = {
  failed: 'The server did not accept this.',
  unharmed: NOTHING_CHANGED,
  todo: 'Correct it and try again.',
};

const BROKEN: FailureText = {
  failed: 'The server could not finish this.',
  unharmed: 'Nothing is half done: a request is kept whole or not at all.',
  todo: 'Try again. If it stays, give the number below to whoever runs the server.',
};

function byStatus(status: number, detail: string | undefined, retryAfter: number | undefined): FailureText {
  // What an unknown error says is for the log, not for people.
  if (status >= 500 && status !== 503) return BROKEN;
  const text = BY_STATUS[status] ?? REFUSED;
  const failed = detail && detail.trim() !== '' ? sentence(detail) : text.failed;
  const todo = status === 429 || status === 503 ? waitText(retryAfter) : text.todo;
  return { ...text, failed, todo };
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.?]$/.test(first) ? first : `${first}.`;
}

function retryAfterOf(headers: Headers | undefined): number | undefined {
  const seconds = Number(headers?.get('retry-after'));
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined;
}

/** Turns an answer that is not 2xx into a Failure. `body` is whatever could be parsed as JSON, or undefined. */
export function failureOfAnswer(status: number, body: unknown, headers?: Headers): Failure {
  const parsed = problemSchema.safeParse(body);
  const problem = parsed.success ? parsed.data : {};
  const retryAfterSeconds = retryAfterOf(headers);
  const text = byStatus(status, problem.detail, retryAfterSeconds);
  return new Failure({
    status,
    code: problem.code ?? `http-${status}`,
    text: { ...text, ...BY_CODE[problem.code ?? ''] },
    requestId: problem.requestId ?? headers?.get('x-request-id') ?? undefined,
    issues: (problem.issues ?? []).map((issue) => issue.detail),
    retryAfterSeconds,
  });
}

export function failureOfNetwork(cause: unknown): Failure {
  return new Failure({
    status: 0,
    code: 'unreachable',
    cause,
    text: {
      failed: 'Careseal cannot be reached.',
      unharmed: 'What was saved before is safe; what you typed stays on this page.',
      todo: 'Check the connection to the server, then try again.',
    },
  });
}

/** The answer came, but is not what this version of the pages understands. */
export function failureOfShape(cause: unknown): Failure {
  return new Failure({
    status: 200,
    code: 'answer-not-understood',
    cause,
    text: {
      failed: 'This page does not understand the server’s answer.',
      unharmed: 'What you did was carried out as the server reported it in the audit log.',
      todo: 'Reload the page: the server may have been updated while it was open.',
    },
  });
}

export function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : failureOfShape(error);
}
