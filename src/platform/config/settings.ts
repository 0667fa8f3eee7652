import { z } from 'zod';

/** How a setting is written as text in a variable, and what it may hold. */
export interface Setting<T> {
  readonly schema: z.ZodType<T>;
  /** Reads the text of a `CARESEAL_*` variable into what the schema checks. */
  readonly fromText: (text: string) => unknown;
  readonly description: string;
  /** Paths are taken relative to the home when they stand in careseal.json, to the working directory in a variable. */
  readonly isPath?: true;
  /** May hold a password: printed without it. */
  readonly redact?: (value: T) => string;
}

const asText = (text: string): unknown => text;
const asNumber = (text: string): unknown => (/^-?\d+$/.test(text) ? Number(text) : text);
const asBoolean = (text: string): unknown => ({ true: true, false: false })[text] ?? text;
const asList = (text: string): unknown =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function port(description: string): Setting<number> {
  return { schema: z.int().min(0).max(65_535), fromText: asNumber, description: `${description} (0: any free port)` };
}

function count(min: number, max: number, description: string): Setting<number> {
  return { schema: z.int().min(min).max(max), fromText: asNumber, description };
}

function optionalFile(description: string): Setting<string | undefined> {
  return { schema: z.string().min(1).optional(), fromText: asText, description, isPath: true };
}

function optionalUrl(description: string): Setting<string | undefined> {
  const schema = z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address')
    .optional();
  return { schema, fromText: asText, description, redact: (value) => (value === undefined ? '' : redactUrl(value)) };
}

/** Keeps the address, hides the password. A URL that does not parse shows nothing. */
function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '(hidden)';
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  for (const name of [...url.searchParams.keys()]) if (name === 'password') url.searchParams.set(name, '***');
  return url.href;
}

/** RFC 1123 host names and IP literals: what may stand in a certificate and a Host header. */
const HOST_NAME =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$|^[0-9a-f:]+$/i;

/** Every setting there is. `usersPort` is read from CARESEAL_USERS_PORT, or from "usersPort" in careseal.json. */
export const SETTINGS = {
  bindAddress: {
    schema: z.union([z.ipv4(), z.ipv6()]),
    fromText: asText,
    description: 'Address the users’ and nodes’ doors listen on',
  } satisfies Setting<string>,
  usersPort: port('Port of the users’ door'),
  nodesPort: port('Port of the nodes’ door'),
  operationsPort: port('Port of the operations door, on 127.0.0.1 only'),
  redirectPort: {
    schema: z.int().min(0).max(65_535).optional(),
    fromText: (text: string) => (text === 'off' ? undefined : asNumber(text)),
    description: 'Port of the plain-HTTP redirect to the users’ door; off when not set',
  } satisfies Setting<number | undefined>,
  hostnames: {
    schema: z.array(z.string().regex(HOST_NAME, 'must be a host name or an IP address')).min(1),
    fromText: asList,
    description: 'Names this server is reached by, the first one is used in links; comma-separated',
  } satisfies Setting<string[]>,
  databaseUrl: optionalUrl('PostgreSQL 15 or later to use instead of the embedded one'),
  databaseOwnerUrl: optionalUrl('The same database as its owner, for migrations'),
  databasePasswordFile: optionalFile('File with the password for databaseUrl'),
  databaseOwnerPasswordFile: optionalFile('File with the password for databaseOwnerUrl'),
  databaseConnections: count(2, 200, 'Most database connections per process'),
  databaseCacheMegabytes: {
    schema: z.int().min(16).max(65_536).optional(),
    fromText: asNumber,
    description: 'Memory the embedded PostgreSQL keeps as cache; by default an eighth of the machine, at most 1024',
  } satisfies Setting<number | undefined>,
  loadMemoryMegabytes: count(
    0,
    65_536,
    'Memory a large load may take for an image of the registry, some 700 bytes a record; 0 for none, and every load goes the ordinary way',
  ),
  workers: count(1, 64, 'Processes that serve the doors'),
  rootKeyFile: optionalFile('File with the root key; by default keys/root.key in the home'),
  passphraseFile: optionalFile('File with the passphrase that unlocks the root key, where one was set'),
  usersCertificateFile: optionalFile(
    'Certificate chain (PEM) of the users’ door, instead of one from the built-in authority',
  ),
  usersKeyFile: optionalFile('Private key (PEM) of that certificate'),
  nodesCertificateFile: optionalFile('Certificate chain (PEM) of the nodes’ door'),
  nodesKeyFile: optionalFile('Private key (PEM) of that certificate'),
  mailHost: {
    schema: z.string().regex(HOST_NAME, 'must be a host name or an IP address').optional(),
    fromText: asText,
    description: 'Mail server (SMTP) for links and notices; without one, links are handed over in person',
  } satisfies Setting<string | undefined>,
  mailPort: port('Port of the mail server: 587 with STARTTLS, 465 with TLS from the start'),
  mailUser: {
    schema: z.string().min(1).optional(),
    fromText: asText,
    description: 'Name to sign in to the mail server with',
  } satisfies Setting<string | undefined>,
  mailPasswordFile: optionalFile('File with the password for mailUser'),
  mailFrom: {
    schema: z.email().optional(),
    fromText: asText,
    description: 'Address that messages come from',
  } satisfies Setting<string | undefined>,
  mailAuthorityFile: optionalFile('Authority (PEM) of the mail server’s certificate, where it is not a public one'),
  atnaCertificateFile: optionalFile('Client certificate chain (PEM) shown to audit repositories that events go to'),
  atnaKeyFile: optionalFile('Private key (PEM) of that certificate'),
  identityRules: {
    schema: z.enum(['plain', 'openhie']),
    fromText: asText,
    description:
      'openhie: take identifiers of known domains only, refuse references that lead nowhere, and let systems carry identifiers of others’ domains as information',
  } satisfies Setting<'plain' | 'openhie'>,
  openCrCalls: {
    schema: z.boolean(),
    fromText: asBoolean,
    description: 'Answer the calls that clients of OpenCR make, at the nodes’ door',
  } satisfies Setting<boolean>,
  hl7Port: {
    schema: z.int().min(0).max(65_535).optional(),
    fromText: (text: string) => (text === 'off' ? undefined : asNumber(text)),
    description: 'Port for HL7 v2 over MLLP with client certificates; off when not set',
  } satisfies Setting<number | undefined>,
  openhimUrl: {
    schema: z.url({ protocol: /^https$/ }).optional(),
    fromText: asText,
    description: 'API of an OpenHIM core to register with as a mediator: https://openhim.example.org:8080',
  } satisfies Setting<string | undefined>,
  openhimUser: {
    schema: z.string().min(1).optional(),
    fromText: asText,
    description: 'User name there',
  } satisfies Setting<string | undefined>,
  openhimPasswordFile: optionalFile('File with the password of that user'),
  openhimAuthorityFile: optionalFile(
    'Authority (PEM) that OpenHIM’s certificate comes from, where it is no public one',
  ),
  outboundNetworks: {
    schema: z.array(z.union([z.cidrv4(), z.cidrv6()])),
    fromText: asList,
    description:
      'Private networks that addresses given by nodes may lead to (key sets, notifications); none by default',
  } satisfies Setting<string[]>,
  auditHeadRecipients: {
    schema: z.array(z.email()),
    fromText: asList,
    description: 'People outside who are mailed the signed head of the audit log once a day; comma-separated',
  } satisfies Setting<string[]>,
  auditKeepYears: count(6, 100, 'Years that what audit events say is kept at least'),
  auditWitnesses: {
    schema: z.array(
      z.string().regex(/^https?:\/\/\S+ \S+\+[0-9a-f]{8}\+\S+$/, 'must be an address, a space and the witness’s key'),
    ),
    fromText: asList,
    description:
      'Witnesses that sign the audit log’s heads, each as address, space, key (as `careseal witness` prints it); comma-separated',
  } satisfies Setting<string[]>,
  auditWitnessAuthorityFile: optionalFile(
    'Authority (PEM) that the witnesses’ certificates come from, where it is no public one',
  ),
  auditRepository: {
    schema: z.boolean(),
    fromText: asBoolean,
    description: 'Takes audit events of the nodes (IHE ATNA), at /fhir/AuditEvent and /atna of the nodes’ door',
  } satisfies Setting<boolean>,
  auditTlsPort: {
    schema: z.int().min(0).max(65_535).optional(),
    fromText: asNumber,
    description:
      'Port for their events as syslog over TLS, with their certificates; off when not set. Needs auditRepository',
  } satisfies Setting<number | undefined>,
  auditUdpPort: {
    schema: z.int().min(0).max(65_535).optional(),
    fromText: asNumber,
    description:
      'Port for their events as syslog over UDP, from anybody who says so; off when not set. Needs auditRepository',
  } satisfies Setting<number | undefined>,
  logLevel: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug']),
    fromText: asText,
    description: 'Least severe level that is logged',
  } satisfies Setting<'fatal' | 'error' | 'warn' | 'info' | 'debug'>,
  logFormat: {
    schema: z.enum(['auto', 'json', 'plain']),
    fromText: asText,
    description: 'Form of the log on standard error; auto is plain on a terminal, else JSON',
  } satisfies Setting<'auto' | 'json' | 'plain'>,
  development: {
    schema: z.boolean(),
    fromText: asBoolean,
    description: 'Marks every page as a trial installation; never for real data',
  } satisfies Setting<boolean>,
};

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']> };

/** No secret is among them: what protects data has no default. */
export const DEFAULTS: SettingValues = {
  bindAddress: '0.0.0.0',
  usersPort: 8443,
  nodesPort: 8444,
  operationsPort: 9464,
  redirectPort: undefined,
  hostnames: ['localhost'],
  databaseUrl: undefined,
  databaseOwnerUrl: undefined,
  databasePasswordFile: undefined,
  databaseOwnerPasswordFile: undefined,
  databaseConnections: 16,
  databaseCacheMegabytes: undefined,
  loadMemoryMegabytes: 1024,
  workers: 1,
  rootKeyFile: undefined,
  passphraseFile: undefined,
  usersCertificateFile: undefined,
  usersKeyFile: undefined,
  nodesCertificateFile: undefined,
  nodesKeyFile: undefined,
  mailHost: undefined,
  mailPort: 587,
  mailUser: undefined,
  mailPasswordFile: undefined,
  mailFrom: undefined,
  mailAuthorityFile: undefined,
  atnaCertificateFile: undefined,
  atnaKeyFile: undefined,
  identityRules: 'plain',
  openCrCalls: false,
  hl7Port: undefined,
  openhimUrl: undefined,
  openhimUser: undefined,
  openhimPasswordFile: undefined,
  openhimAuthorityFile: undefined,
  outboundNetworks: [],
  auditHeadRecipients: [],
  auditKeepYears: 6,
  auditWitnesses: [],
  auditWitnessAuthorityFile: undefined,
  auditRepository: false,
  auditTlsPort: undefined,
  auditUdpPort: undefined,
  logLevel: 'info',
  logFormat: 'auto',
  development: false,
};

/** `usersPort` → `CARESEAL_USERS_PORT`. */
export function variableName(setting: string): string {
  return `CARESEAL_${setting.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
