/** An OpenCR's patients, as its FHIR server exports them: which are golden, which belong to whom. Pure. */
import type { Patient } from '@medplum/fhirtypes';

/** OpenCR tags its golden records with this code (`codes:goldenRecord` of its configuration). */
export const GOLDEN_CODE = '5c827da5-4858-4f3d-a50c-62ece001efea';
const CLIENT_TAG = /clientid$/;
const SOURCE_ID = /sourceid$/;

export type OpenCrRecord =
  | {
      readonly kind: 'golden';
      readonly id: string;
      readonly members: readonly string[];
      readonly replacedBy: string | undefined;
    }
  | {
      readonly kind: 'source';
      readonly id: string;
      readonly client: string;
      readonly golden: string | undefined;
      readonly patient: Patient;
    };

/** What a resource of the export is; undefined for what is no Patient. */
export function openCrRecord(resource: unknown): OpenCrRecord | undefined {
  if (
    typeof resource !== 'object' ||
    resource === null ||
    (resource as { resourceType?: unknown }).resourceType !== 'Patient'
  )
    return undefined;
  // Element by element from here on; sources are validated when they are submitted.
  const patient = resource as Patient;
  const id = patient.id ?? '';
  const links = (patient.link ?? []).flatMap(({ other, type }) => {
    const target = /Patient\/([^/]+)/.exec(other?.reference ?? '')?.[1];
    return target === undefined ? [] : [{ target, type }];
  });
  if (patient.meta?.tag?.some(({ code }) => code === GOLDEN_CODE)) {
    return {
      kind: 'golden',
      id,
      members: links.filter(({ type }) => type === 'seealso').map(({ target }) => target),
      replacedBy: links.find(({ type }) => type === 'replaced-by')?.target,
    };
  }
  const client = patient.meta?.tag?.find(({ system }) => CLIENT_TAG.test(system ?? ''))?.code ?? 'unknown';
  return { kind: 'source', id, client, golden: links.find(({ type }) => type === 'refer')?.target, patient };
}

/** The record as it is submitted: its own identifier in its domain, without what only OpenCR understands. */
export function submitted(
  record: Extract<OpenCrRecord, { kind: 'source' }>,
  domain: string,
): { readonly key: string; readonly patient: Patient } {
  const { id: _id, meta, link, identifier = [], ...rest } = record.patient;
  const own =
    identifier.find(({ system }) => system === domain)?.value ??
    identifier.find(({ system }) => SOURCE_ID.test(system ?? ''))?.value ??
    record.id;
  const key = own.replace(/^Patient\//, '');
  const kept = identifier.filter(({ system }) => !SOURCE_ID.test(system ?? ''));
  const carries = kept.some(({ system, value }) => system === domain && value === key);
  const others = (link ?? []).filter(({ type }) => type !== 'refer');
  const profiles = meta?.profile === undefined ? {} : { meta: { profile: meta.profile } };
  return {
    key,
    patient: {
      ...rest,
      ...profiles,
      identifier: carries ? kept : [{ system: domain, value: key }, ...kept],
      ...(others.length > 0 ? { link: others } : {}),
    },
  };
}
