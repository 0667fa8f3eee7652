import { Button, NumberInput, Select, Switch, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { z } from 'zod';
import { type PolicyAnswer, PolicySetting } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { BansSection } from './bans-section.tsx';
import { NetworksSection } from './networks-section.tsx';
import { NoticesSection } from './notices-section.tsx';
import { ExceptionsSection } from './exceptions-section.tsx';
import { forgetPolicy, policyQuery } from './policy-queries.ts';
import { RequirementsSection } from './requirements-section.tsx';
import './people.css';

const GROUPS: readonly (readonly [PolicySetting['group'], string])[] = [
  ['second-factor', 'Second factor'],
  ['sessions', 'Sessions'],
  ['passwords', 'Passwords and guessing'],
  ['links', 'Links and waiting times'],
  ['accounts', 'Accounts'],
];

/** How people sign in, in plain words: settings, rules, exceptions, networks, who is held up, notices. */
export function PolicyPage(): ReactNode {
  const policy = useQuery(policyQuery);
  return (
    <Page
      title="Policy"
      sentence="How people prove who they are, how long they stay signed in, and what must be read before."
      width="reading"
    >
      {policy.isPending && <ListSkeleton rows={6} />}
      {policy.isError && <FailureNotice error={policy.error} onRetry={() => void policy.refetch()} />}
      {policy.data && (
        <>
          <Settings settings={policy.data.settings} />
          <RequirementsSection policy={policy.data} />
          <ExceptionsSection />
          <NetworksSection policy={policy.data} />
          <BansSection />
          <NoticesSection />
          <MailSection mail={policy.data.mail} />
        </>
      )}
    </Page>
  );
}

type Value = PolicySetting['value'];

const SettingsDraft = z.object({ changed: z.record(z.string(), PolicySetting.shape.value) });

function Settings({ settings }: { readonly settings: readonly PolicySetting[] }): ReactNode {
  const queries = useQueryClient();
  const [{ changed }, change, drop] = useDraftForm('policy', SettingsDraft, { changed: {} });
  const save = useMutation({
    mutationFn: () => api.act('PUT', '/api/policy', { settings: changed }),
    onSuccess: async () => {
      drop();
      await forgetPolicy(queries);
    },
  });
  const count = Object.keys(changed).length;
  const set = (setting: PolicySetting, value: Value): void => {
    const { [setting.name]: _, ...others } = changed;
    const same = JSON.stringify(value) === JSON.stringify(setting.value);
    change({ changed: same ? others : { ...others, [setting.name]: value } });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (count > 0) save.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      {GROUPS.map(([group, title]) => (
        <Section key={group} title={title}>
          {settings
            .filter((setting) => setting.group === group)
            .map((setting) => (
              <div className="policy-setting" key={setting.name}>
                <div>
                  <h3>{setting.title}</h3>
                  <p className="soft small">{setting.text}</p>
                </div>
                <SettingField
                  setting={setting}
                  value={changed[setting.name] ?? setting.value}
                  onChange={(value) => set(setting, value)}
                />
              </div>
            ))}
        </Section>
      ))}
      {save.isError && <FailureNotice error={save.error} focus />}
      {save.isSuccess && count === 0 && (
        <Notice tone="done" live title="Changed">
          <p>It holds everywhere within a second. The log has the old and the new value.</p>
        </Notice>
      )}
      <div className="row drawer-actions">
        <Button type="submit" loading={save.isPending} disabled={count === 0}>
          {count === 0 ? 'Nothing is changed' : `Save ${count === 1 ? 'the change' : `${count} changes`}`}
        </Button>
        {count > 0 && (
          <Button variant="default" onClick={drop}>
            Put back
          </Button>
        )}
      </div>
    </form>
  );
}

interface FieldProps {
  readonly setting: PolicySetting;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

const CHOICE_WORDS: Readonly<Record<string, string>> = { off: 'Off', optional: 'Optional', required: 'Required' };

function SettingField({ setting, value, onChange }: FieldProps): ReactNode {
  const { title, kind, min, max, unit } = setting;
  switch (kind) {
    case 'choice':
      return (
        <Select
          aria-label={title}
          allowDeselect={false}
          data={(setting.choices ?? []).map((one) => ({ value: one, label: CHOICE_WORDS[one] ?? one }))}
          value={String(value)}
          onChange={(next) => onChange(next ?? String(value))}
        />
      );
    case 'switch':
      return (
        <Switch
          aria-label={title}
          label={value === true ? 'On' : 'Off'}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'words':
      return (
        <Textarea
          aria-label={title}
          description="One on each line"
          autosize
          minRows={2}
          maxRows={8}
          value={Array.isArray(value) ? value.join('\n') : ''}
          onChange={(event) =>
            onChange(
              event.currentTarget.value
                .split('\n')
                .map((word) => word.trimStart())
                .filter((word) => word !== ''),
            )
          }
        />
      );
    case 'number':
      return (
        <NumberInput
          aria-label={title}
          description={min === undefined ? undefined : `${min} to ${max ?? 'any'} ${unit ?? ''}`}
          suffix={unit === undefined ? '' : ` ${unit}`}
          min={min ?? 0}
          max={max ?? 100_000}
          clampBehavior="none"
          allowDecimal={false}
          value={Number(value)}
          onChange={(next) => onChange(Number(next))}
        />
      );
  }
}

const MAIL_FAILURES: Readonly<Record<string, string>> = {
  connection: 'The mail server could not be reached.',
  tls: 'The mail server’s certificate could not be checked, or it offers no TLS.',
  'sign-in': 'The mail server did not take our name and password.',
  refused: 'The mail server refused a message for good.',
  busy: 'The mail server asked to wait.',
  expired: 'A message could not be handed over in time.',
};

function MailSection({ mail }: { readonly mail: PolicyAnswer['mail'] }): ReactNode {
  const failure = mail.lastFailure === undefined ? undefined : (MAIL_FAILURES[mail.lastFailure] ?? mail.lastFailure);
  return (
    <Section title="E-mail">
      {mail.configured ? (
        <p>
          Messages go out. {mail.waiting} {mail.waiting === 1 ? 'waits' : 'wait'}, {mail.givenUp} given up in the last
          seven days. {failure}
        </p>
      ) : (
        <p>
          No mail server is set up (<code>CARESEAL_MAIL_HOST</code>): invitations are handed over in person, and nobody
          is told by e-mail of changes to their sign-in.
        </p>
      )}
    </Section>
  );
}
