import { Button, MultiSelect, NumberInput, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { RulesReply, RuleView } from '../../../features/alerts/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { alertRules } from './alert-queries.ts';

/** Which rules there are, when they speak, and whom a mail goes to. */
export function AlertRules({ onClose }: { readonly onClose: () => void }): ReactNode {
  const reply = useQuery(alertRules);
  return (
    <SideDrawer title="Rules and mails" onClose={onClose} width="36rem">
      {reply.isPending && <ListSkeleton rows={8} />}
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.data && (
        <>
          <Recipients reply={reply.data} />
          {reply.data.rules.map((rule) => (
            <RuleForm key={rule.name} rule={rule} />
          ))}
        </>
      )}
    </SideDrawer>
  );
}

function Recipients({ reply }: { readonly reply: RulesReply }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const [chosen, setChosen] = useState(reply.recipients);
  const save = useMutation({
    mutationFn: () => api.act('PUT', '/api/alerts/recipients', { recipients: chosen }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['alerts', 'rules'] }),
  });
  return (
    <form
      className="rule"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <h3>Mail goes to</h3>
      {!reply.mail && (
        <Notice tone="info">No mail server is set up, so alerts show on this page and go to syslog only.</Notice>
      )}
      {reply.unknown.length > 0 && (
        <Notice tone="amber">
          No mail goes to {reply.unknown.join(', ')}: nobody with this address may see all alerts. Choose people
          instead.
        </Notice>
      )}
      <MultiSelect
        label="People who may see all alerts"
        description="Mails say what kind of alert there is and name nobody. They come together, every 15 minutes at most."
        data={reply.people.map(({ id, name }) => ({ value: id, label: name }))}
        value={chosen}
        maxValues={20}
        searchable
        nothingFoundMessage="Nobody of this name may see all alerts"
        disabled={!may('settings.manage')}
        onChange={setChosen}
      />
      {save.isError && <FailureNotice error={save.error} focus />}
      {may('settings.manage') && (
        <Button type="submit" variant="default" size="xs" mt="xs" loading={save.isPending}>
          {save.isSuccess ? 'Saved' : 'Save'}
        </Button>
      )}
    </form>
  );
}

function RuleForm({ rule }: { readonly rule: RuleView }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const [settings, setSettings] = useState(rule.settings);
  const fixed = !may('settings.manage');
  const set = (part: Partial<RuleView['settings']>): void => setSettings({ ...settings, ...part });
  const save = useMutation({
    mutationFn: () => api.act('PUT', `/api/alerts/rules/${rule.name}`, settings),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['alerts', 'rules'] }),
  });
  const changed = JSON.stringify(settings) !== JSON.stringify(rule.settings);
  return (
    <form
      className="rule"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {/* What can be told apart by the heading alone has the heading in its name. */}
      <h3>{rule.title}</h3>
      <p className="soft">{rule.about}</p>
      {rule.changed === true && (
        <Notice tone="amber">
          Somebody has changed this rule in the database. It is switched on, as the program has it, until it is saved
          again.
        </Notice>
      )}
      <RuleFields rule={rule} settings={settings} fixed={fixed} set={set} />
      {save.isError && <FailureNotice error={save.error} focus />}
      {(changed || rule.changed === true) && !fixed && (
        <Button
          type="submit"
          variant="default"
          size="xs"
          mt="xs"
          aria-label={`Save: ${rule.title}`}
          loading={save.isPending}
        >
          Save
        </Button>
      )}
    </form>
  );
}

type Settings = RuleView['settings'];
interface FieldsProps {
  readonly settings: Settings;
  readonly fixed: boolean;
  readonly set: (part: Partial<Settings>) => void;
}

function RuleFields({ rule, settings, fixed, set }: FieldsProps & { readonly rule: RuleView }): ReactNode {
  return (
    <div className="rule-fields">
      <Switch
        label="on"
        aria-label={`on: ${rule.title}`}
        checked={settings.enabled}
        disabled={fixed}
        onChange={(event) => set({ enabled: event.currentTarget.checked })}
      />
      <Switch
        label="mail"
        aria-label={`mail: ${rule.title}`}
        checked={settings.mail}
        disabled={fixed}
        onChange={(event) => set({ mail: event.currentTarget.checked })}
      />
      {rule.uses.includes('threshold') && (
        <NumberInput
          label="From this number on"
          aria-label={`From this number on: ${rule.title}`}
          size="xs"
          min={1}
          max={100_000}
          disabled={fixed}
          value={settings.threshold}
          onChange={(value) => set({ threshold: Number(value) || 1 })}
        />
      )}
      {rule.uses.includes('minutes') && (
        <NumberInput
          label="Minutes"
          aria-label={`Minutes: ${rule.title}`}
          size="xs"
          min={1}
          max={43_200}
          disabled={fixed}
          value={settings.minutes}
          onChange={(value) => set({ minutes: Number(value) || 1 })}
        />
      )}
      {rule.uses.includes('quiet') && <QuietFields settings={settings} fixed={fixed} set={set} />}
    </div>
  );
}

/** When nobody should be at work. */
function QuietFields({ settings, fixed, set }: FieldsProps): ReactNode {
  return (
    <>
      <TextInput
        type="time"
        label="Quiet from"
        size="xs"
        disabled={fixed}
        value={settings.quietFrom}
        onChange={(event) => set({ quietFrom: event.currentTarget.value })}
      />
      <TextInput
        type="time"
        label="until"
        size="xs"
        disabled={fixed}
        value={settings.quietTo}
        onChange={(event) => set({ quietTo: event.currentTarget.value })}
      />
      <TextInput
        label="Time zone"
        size="xs"
        placeholder="Africa/Kampala"
        disabled={fixed}
        value={settings.zone}
        onChange={(event) => set({ zone: event.currentTarget.value })}
      />
    </>
  );
}
