import { Button, Modal, NumberInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { TargetProtocol, type TargetView } from '../../../features/atna/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { auditNames } from './audit-queries.ts';

export interface TargetDialogProps {
  /** Undefined: a new one. */
  readonly target: TargetView | undefined;
  readonly onClose: () => void;
}

const PROTOCOLS = [
  { value: 'tls', label: 'Syslog over TLS (RFC 5425)' },
  { value: 'fhir', label: 'FHIR over HTTPS' },
  { value: 'tcp', label: 'Syslog over TCP, not encrypted' },
  { value: 'udp', label: 'Syslog over UDP, not encrypted' },
];
const PORTS = { tls: 6514, tcp: 601, udp: 514, fhir: 443 } as const;

const FRESH = {
  name: '',
  protocol: 'tls' as TargetProtocol,
  host: '',
  port: PORTS.tls as number,
  path: '',
  authorities: '',
  events: [] as readonly string[],
  onlyFailures: false,
  all: false,
};

/** Where a copy of the log goes. */
export function TargetDialog({ target, onClose }: TargetDialogProps): ReactNode {
  const queries = useQueryClient();
  const [form, setForm] = useState(() =>
    target === undefined
      ? FRESH
      : { ...FRESH, ...target, events: target.filter.events, onlyFailures: target.filter.outcome === 'failure' },
  );
  const set = (part: Partial<typeof FRESH>): void => setForm({ ...form, ...part });
  const save = useMutation({
    mutationFn: async () => {
      const { name, protocol, host, port, path, authorities } = form;
      const filter = { events: form.events, outcome: form.onlyFailures ? 'failure' : 'all' };
      const settings = {
        name,
        protocol,
        host: host.trim(),
        port,
        path: protocol === 'fhir' ? path : '',
        authorities,
        filter,
      };
      if (target === undefined)
        await api.act('POST', '/api/forwarding', { ...settings, from: form.all ? 'beginning' : 'now' });
      else await api.act('PUT', `/api/forwarding/${target.id}`, { ...settings, paused: target.paused });
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['forwarding'] });
      onClose();
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={target === undefined ? 'Add a receiver of the log' : 'Change the receiver'}
      size="lg"
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <WhereFields form={form} set={set} />
        <WhatFields form={form} set={set} isNew={target === undefined} />
        {save.isError && <FailureNotice error={save.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {target === undefined ? 'Add it' : 'Save'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

type Form = typeof FRESH;
interface FieldsProps {
  readonly form: Form;
  readonly set: (part: Partial<Form>) => void;
}

function WhereFields({ form, set }: FieldsProps): ReactNode {
  return (
    <>
      <TextInput
        data-autofocus
        label="Name"
        description="As it is called in alerts and in the log"
        required
        withAsterisk={false}
        maxLength={80}
        value={form.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <Select
        label="How"
        allowDeselect={false}
        data={PROTOCOLS}
        value={form.protocol}
        onChange={(value) => {
          const protocol = TargetProtocol.catch('tls').parse(value);
          set({ protocol, port: PORTS[protocol] });
        }}
      />
      <div className="two-fields">
        <TextInput
          label="Host"
          placeholder="audit.ministry.example"
          required
          withAsterisk={false}
          value={form.host}
          onChange={(event) => set({ host: event.currentTarget.value })}
        />
        <NumberInput
          label="Port"
          min={1}
          max={65_535}
          value={form.port}
          onChange={(value) => set({ port: Number(value) || 1 })}
        />
      </div>
      {form.protocol === 'fhir' && (
        <TextInput
          label="Path"
          placeholder="/fhir"
          value={form.path}
          onChange={(event) => set({ path: event.currentTarget.value })}
        />
      )}
      {(form.protocol === 'tls' || form.protocol === 'fhir') && (
        <Textarea
          label="Certificate authority (PEM)"
          description="Empty: those the operating system trusts"
          autosize
          minRows={2}
          maxRows={6}
          value={form.authorities}
          onChange={(event) => set({ authorities: event.currentTarget.value })}
        />
      )}
    </>
  );
}

function WhatFields({ form, set, isNew }: FieldsProps & { readonly isNew: boolean }): ReactNode {
  const names = useQuery(auditNames);
  const families = [...new Set((names.data?.names ?? []).map(({ event }) => `${event.split('.')[0] ?? ''}.*`))];
  return (
    <>
      <Select
        label="Which events"
        placeholder="every event"
        clearable
        searchable
        clearButtonProps={{ 'aria-label': 'Every event' }}
        data={families}
        value={form.events[0] ?? null}
        onChange={(value) => set({ events: value === null ? [] : [value] })}
      />
      <Switch
        label="Only what was refused or failed"
        checked={form.onlyFailures}
        onChange={(event) => set({ onlyFailures: event.currentTarget.checked })}
      />
      {isNew && (
        <Switch
          label="Also everything that is in the log already"
          checked={form.all}
          onChange={(event) => set({ all: event.currentTarget.checked })}
        />
      )}
    </>
  );
}
