/**
 * How Patients are laid down in the store: ready-to-send JSON, so that a read opens the seal and sends the bytes.
 */
import type { Meta, Patient } from '@medplum/fhirtypes';
import { parseStoredJson, RECORD_KIND_SYSTEM } from '../../fhir/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import type { RecordKind } from './model.ts';

const encoder = new TextEncoder();

export interface ContentHead {
  readonly id: ResourceId;
  readonly version: number;
  readonly lastUpdatedMs: number;
  readonly kind: RecordKind;
}

/** The stored form of one version. The sender's profiles, security labels and foreign tags stay; id, version and time are ours. */
export function storedContent(patient: Patient, head: ContentHead): Uint8Array {
  const { resourceType: _type, id: _id, meta, ...rest } = patient;
  return encoder.encode(
    JSON.stringify({ resourceType: 'Patient', id: head.id, meta: storedMeta(meta, head), ...rest }),
  );
}

function storedMeta(meta: Meta | undefined, head: ContentHead): Meta {
  const tags = (meta?.tag ?? []).filter((tag) => tag.system !== RECORD_KIND_SYSTEM);
  return {
    versionId: String(head.version),
    lastUpdated: instant(head.lastUpdatedMs),
    ...(meta?.source ? { source: meta.source } : {}),
    ...(meta?.profile ? { profile: meta.profile } : {}),
    ...(meta?.security ? { security: meta.security } : {}),
    tag: [...tags, { system: RECORD_KIND_SYSTEM, code: head.kind }],
  };
}

/** Reads back what `storedContent` wrote; the store's seal vouches for the shape. */
export function patientOf(content: Uint8Array): Patient {
  return parseStoredJson(content) as Patient;
}

export function kindOf(patient: Patient): RecordKind {
  return patient.meta?.tag?.some((tag) => tag.system === RECORD_KIND_SYSTEM && tag.code === 'golden')
    ? 'golden'
    : 'source';
}

/** True when both say the same about the person: id, version, time and our own tag set aside. */
export function sameContent(x: Patient, y: Patient): boolean {
  return comparableContent(x) === comparableContent(y);
}

function comparableContent(patient: Patient): string {
  const { id: _id, meta, ...rest } = patient;
  const tags = (meta?.tag ?? []).filter((tag) => tag.system !== RECORD_KIND_SYSTEM);
  return canonicalJson({
    ...rest,
    meta: { profile: meta?.profile ?? [], security: meta?.security ?? [], tag: tags, source: meta?.source ?? '' },
  });
}
