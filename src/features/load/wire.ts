import { z } from 'zod';
import { MapDocument } from './map-document.ts';

export { MapDocument } from './map-document.ts';

/** Requests and answers of `/api/loads` and `/api/mappings`; shared with the web and the command line. */
const Id = z.uuid();
const Instant = z.iso.datetime();
const Count = z.int().nonnegative();

/** Something found in a file before it is loaded. `error` means that it cannot be loaded as it is. */
export const FileProblem = z.object({
  level: z.enum(['error', 'warning']),
  code: z.string(),
  text: z.string(),
  line: Count.optional(),
  column: z.string().optional(),
});
export type FileProblem = z.infer<typeof FileProblem>;

export const FileColumn = z.object({
  name: z.string(),
  /** First values that are not empty, cut to 80 characters. */
  samples: z.array(z.string()),
  /** How many of the previewed rows have a value here. */
  filled: Count,
});
export type FileColumn = z.infer<typeof FileColumn>;

export const FileFormat = z.enum(['csv', 'ndjson']);

/** POST /api/loads/uploads (raw body; header X-File-Name) and GET /api/loads/uploads/:id */
export const UploadView = z.object({
  uploadId: Id,
  fileName: z.string(),
  sizeBytes: Count,
  format: FileFormat,
  /** CSV only. */
  delimiter: z.string().optional(),
  encoding: z.string(),
  /** CSV only; empty for NDJSON, which needs no mapping. */
  columns: z.array(FileColumn),
  rowsPreviewed: Count,
  guess: MapDocument,
  problems: z.array(FileProblem),
  expiresAt: Instant,
});
export type UploadView = z.infer<typeof UploadView>;

/** GET /api/loads/uploads: files that were sent and wait, newest first. */
export const WaitingUpload = z.object({
  uploadId: Id,
  fileName: z.string(),
  sizeBytes: Count,
  uploadedAt: Instant,
  /** When it is forgotten. */
  expiresAt: Instant,
  /** It is being loaded just now, and cannot be deleted. */
  busy: z.boolean(),
});
export type WaitingUpload = z.infer<typeof WaitingUpload>;
export const WaitingUploadsAnswer = z.object({ uploads: z.array(WaitingUpload) });

/** POST /api/loads/uploads/:id/preview: what the first rows become under a mapping. */
export const PreviewRequest = z.strictObject({ map: MapDocument, domain: z.string().max(500).optional() });
export const PreviewView = z.object({
  rows: z.array(
    z.object({
      line: Count,
      /** Label and value of each element of the Patient that would be made. */
      fields: z.array(z.object({ path: z.string(), label: z.string(), value: z.string() })),
      reject: z.object({ column: z.string().optional(), reason: z.string() }).optional(),
      warnings: z.array(z.object({ column: z.string(), reason: z.string() })),
    }),
  ),
  problems: z.array(FileProblem),
});
export type PreviewView = z.infer<typeof PreviewView>;

export const LoadCounts = z.object({
  /** Data rows read, rejected ones included. read = created + updated + unchanged + rejected. */
  read: Count,
  created: Count,
  updated: Count,
  unchanged: Count,
  /** Records linked automatically to a client that was there before them. */
  linked: Count,
  /** Reviews opened for a steward. */
  reviews: Count,
  rejected: Count,
  /** Values left out of records that were loaded (a birth date that does not exist), each kept as original text. */
  warnings: Count,
});
export type LoadCounts = z.infer<typeof LoadCounts>;

export const LoadState = z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']);

export const LoadView = z.object({
  id: Id,
  state: LoadState,
  fileName: z.string(),
  format: FileFormat,
  domain: z.string(),
  dryRun: z.boolean(),
  bytesTotal: Count,
  bytesDone: Count,
  /** While the registry is read into memory before a large load: records read, of about how many. */
  reading: z.object({ done: Count, of: Count }).optional(),
  counts: LoadCounts,
  /** Time spent working so far; pauses are not counted. */
  seconds: z.number().nonnegative(),
  error: z.object({ code: z.string(), text: z.string() }).optional(),
  startedBy: z.string(),
  startedAt: Instant,
  finishedAt: Instant.optional(),
  /** GET /api/loads/:id/rejected and …/warnings have something to download (CSV). */
  rejectedAvailable: z.boolean(),
  warningsAvailable: z.boolean(),
});
export type LoadView = z.infer<typeof LoadView>;

export const StartLoadRequest = z.strictObject({
  uploadId: Id,
  domain: z.string().min(1).max(500),
  /** May be left out for NDJSON. */
  map: MapDocument.optional(),
  dryRun: z.boolean().default(false),
});
export const LoadAnswer = z.object({ load: LoadView });
export const LoadsAnswer = z.object({ loads: z.array(LoadView) });
export const LoadParams = z.strictObject({ id: Id });

export const SavedMapping = z.object({ name: z.string(), map: MapDocument, updatedAt: Instant, updatedBy: z.string() });
export type SavedMapping = z.infer<typeof SavedMapping>;
export const MappingName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}/\\]+$/u, 'a name has no slashes and no control characters');
export const MappingsAnswer = z.object({ mappings: z.array(SavedMapping) });
export const MappingParams = z.strictObject({ name: MappingName });
export const SaveMappingRequest = z.strictObject({ map: MapDocument });
export const MappingAnswer = z.object({ mapping: SavedMapping });

/** What `careseal load --json` prints. */
export const LoadSummary = z.object({
  read: Count,
  created: Count,
  updated: Count,
  linked: Count,
  reviews: Count,
  rejected: Count,
  seconds: z.number(),
  unchanged: Count,
  warnings: Count,
  loadId: Id.optional(),
  dryRun: z.boolean(),
});
export type LoadSummary = z.infer<typeof LoadSummary>;
