import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import {
  AuthenticatorBeginAnswer,
  FactorAddedAnswer,
  FactorName,
  type FactorsAnswer,
  RecoveryCodesAnswer,
} from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Copy, Tag } from '../../ui/bits.tsx';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Ago, Moment, Own } from '../../ui/text.tsx';
import { CodeField, isCode } from './code-field.tsx';
import { makePasskey, passkeysWork, wasCancelled } from './passkey.ts';
import { TotpPicture } from './totp-picture.tsx';
import { deviceWords } from './user-agent.ts';
import { factorList } from './user-queries.ts';

type Adding = 'authenticator' | 'passkey';

/** What one signs in with besides the password, and where one is not asked for it. */
export function FactorsSection(): ReactNode {
  const list = useQuery(factorList);
  const queries = useQueryClient();
  const [adding, setAdding] = useState<Adding>();
  const [codes, setCodes] = useState<readonly string[]>();
  const forget = (): Promise<void> => queries.invalidateQueries({ queryKey: factorList.queryKey });
  const renew = useMutation({
    mutationFn: () => api.send('POST', '/api/recovery-codes', RecoveryCodesAnswer),
    onSuccess: async (answer) => {
      setCodes(answer.recoveryCodes);
      await forget();
    },
  });
  if (list.isPending) return <ListSkeleton rows={3} />;
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  const { authenticators, passkeys, recoveryCodesLeft, trustedDevices } = list.data;
  const only = authenticators.length + passkeys.length === 1;
  return (
    <>
      <Section
        title="Second factors"
        note="A stolen password alone opens nothing. Have two, so that losing one does not shut you out."
      >
        <ul className="sessions">
          {authenticators.map((one) => (
            <FactorLine key={one.id} factor={one} kind="Authenticator app" />
          ))}
          {passkeys.map((one) => (
            <FactorLine key={one.id} factor={one} kind="Passkey" {...(one.backedUp ? { note: 'synchronised' } : {})} />
          ))}
        </ul>
        {only && <p className="soft small">This is your only one. Add a second before you need it.</p>}
        <div className="row drawer-actions">
          {passkeysWork() && (
            <Button variant="default" onClick={() => setAdding('passkey')}>
              Add a passkey
            </Button>
          )}
          <Button variant="default" onClick={() => setAdding('authenticator')}>
            Add an authenticator app
          </Button>
        </div>
      </Section>
      <Section title="Recovery codes" note="For the day when all of the above are lost. Each works once.">
        {renew.isError && <FailureNotice error={renew.error} focus />}
        <div className="row">
          <span>
            {recoveryCodesLeft} of 10 left {recoveryCodesLeft <= 3 && <Tag tone="amber">make new ones</Tag>}
          </span>
          <Button variant="default" size="xs" loading={renew.isPending} onClick={() => renew.mutate()}>
            Make new codes
          </Button>
        </div>
      </Section>
      <TrustedDevices devices={trustedDevices} onChanged={forget} />
      {adding === 'authenticator' && (
        <AddAuthenticator onClose={() => setAdding(undefined)} onAdded={forget} onCodes={setCodes} />
      )}
      {adding === 'passkey' && <AddPasskey onClose={() => setAdding(undefined)} onAdded={forget} onCodes={setCodes} />}
      {codes && <CodesDialog codes={codes} onClose={() => setCodes(undefined)} />}
    </>
  );
}

interface FactorLineProps {
  readonly factor: FactorsAnswer['authenticators'][number];
  readonly kind: string;
  readonly note?: string;
}

function FactorLine({ factor, kind, note }: FactorLineProps): ReactNode {
  const [asking, setAsking] = useState<'remove' | 'rename'>();
  return (
    <li>
      <div>
        <strong>
          <Own>{factor.name}</Own>
        </strong>{' '}
        <Tag tone="quiet">{note === undefined ? kind : `${kind}, ${note}`}</Tag>
        <div className="soft small">
          added <Moment iso={factor.createdAt} />,{' '}
          {factor.lastUsedAt === undefined ? (
            'not used yet'
          ) : (
            <>
              last used <Ago iso={factor.lastUsedAt} />
            </>
          )}
        </div>
      </div>
      <Button variant="default" size="xs" onClick={() => setAsking('rename')} aria-label={`Rename ${factor.name}`}>
        Rename
      </Button>
      <Button variant="default" size="xs" onClick={() => setAsking('remove')} aria-label={`Remove ${factor.name}`}>
        Remove
      </Button>
      {asking && <FactorDialog factor={factor} asking={asking} onClose={() => setAsking(undefined)} />}
    </li>
  );
}

interface FactorDialogProps {
  readonly factor: FactorsAnswer['authenticators'][number];
  readonly asking: 'remove' | 'rename';
  readonly onClose: () => void;
}

function FactorDialog({ factor, asking, onClose }: FactorDialogProps): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState(factor.name);
  const act = useMutation({
    mutationFn: (what: 'remove' | 'rename') =>
      what === 'remove'
        ? api.act('DELETE', `/api/factors/${factor.id}`)
        : api.act('PUT', `/api/factors/${factor.id}`, { name }),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: factorList.queryKey });
    },
  });
  return (
    <Dialog opened onClose={onClose} title={asking === 'remove' ? 'Remove this factor' : 'Another name'} size="sm">
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate(asking);
        }}
      >
        {act.isError && <FailureNotice error={act.error} focus />}
        {asking === 'remove' ? (
          <p className="dialog-words">
            <Own strong>{factor.name}</Own> opens nothing any more. Trusted devices are asked again.
          </p>
        ) : (
          <NameField value={name} onChange={setName} />
        )}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={act.isPending} disabled={!FactorName.safeParse(name).success}>
            {asking === 'remove' ? 'Remove' : 'Rename'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function NameField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  return (
    <TextInput
      data-autofocus
      label="Name"
      description="So that you know it again: “Work telephone”, “Yellow key”."
      autoComplete="off"
      maxLength={60}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface AddProps {
  readonly onClose: () => void;
  readonly onAdded: () => Promise<void>;
  readonly onCodes: (codes: readonly string[]) => void;
}

function useAdded({ onClose, onAdded, onCodes }: AddProps) {
  return async ({ recoveryCodes }: FactorAddedAnswer): Promise<void> => {
    if (recoveryCodes !== undefined) onCodes(recoveryCodes);
    await onAdded();
    onClose();
  };
}

function AddPasskey(props: AddProps): ReactNode {
  const [name, setName] = useState('');
  const done = useAdded(props);
  const add = useMutation({
    mutationFn: async () => {
      const credential = await makePasskey();
      return await api.send('POST', '/api/factors/passkey', FactorAddedAnswer, { name: name.trim(), credential });
    },
    onSuccess: done,
  });
  return (
    <Dialog opened onClose={props.onClose} title="Add a passkey" size="sm">
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (FactorName.safeParse(name).success) add.mutate();
        }}
      >
        <p className="dialog-words">
          Your device, password manager or security key keeps it and opens it with your finger, face or PIN. It also
          signs you in without the password, and no false page can steal it.
        </p>
        {add.isError && !wasCancelled(add.error) && <FailureNotice error={add.error} focus />}
        <NameField value={name} onChange={setName} />
        <div className="dialog-actions">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={!FactorName.safeParse(name).success}>
            Make the passkey
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function AddAuthenticator(props: AddProps): ReactNode {
  const [name, setName] = useState('');
  const [code, setCode] = useState('');
  const done = useAdded(props);
  const begin = useMutation({
    mutationFn: () => api.send('POST', '/api/factors/authenticator', AuthenticatorBeginAnswer),
  });
  const confirm = useMutation({
    mutationFn: () =>
      api.send(
        'POST',
        '/api/factors/authenticator/confirm',
        FactorAddedAnswer,
        { name: name.trim(), code },
        { signingIn: true },
      ),
    onSuccess: done,
    onError: () => setCode(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!begin.isSuccess) begin.mutate();
    else if (isCode(code)) confirm.mutate();
  };
  return (
    <Dialog opened onClose={props.onClose} title="Add an authenticator app" size="md">
      <form className="stack" noValidate onSubmit={submit}>
        {begin.isError && <FailureNotice error={begin.error} focus />}
        {confirm.isError && <FailureNotice error={confirm.error} focus />}
        {begin.data ? (
          <>
            <TotpPicture totp={begin.data.totp} />
            <CodeField value={code} onChange={setCode} autoFocus />
          </>
        ) : (
          <NameField value={name} onChange={setName} />
        )}
        <div className="dialog-actions">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={begin.isPending || confirm.isPending}
            disabled={!FactorName.safeParse(name).success || (begin.isSuccess && !isCode(code))}
          >
            {begin.isSuccess ? 'Confirm' : 'Continue'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface TrustedProps {
  readonly devices: FactorsAnswer['trustedDevices'];
  readonly onChanged: () => Promise<void>;
}

function TrustedDevices({ devices, onChanged }: TrustedProps): ReactNode {
  const end = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/trusted-devices/${id}`),
    onSuccess: onChanged,
  });
  return (
    <Section title="Trusted devices" note="Where only the password is asked for. Dangerous acts ask there as well.">
      {end.isError && <FailureNotice error={end.error} focus />}
      {devices.length === 0 && <p className="soft">None: the second factor is asked for everywhere.</p>}
      {devices.length > 0 && (
        <ul className="sessions">
          {devices.map((one) => (
            <li key={one.id}>
              <div>
                <strong>{deviceWords(one.userAgent)}</strong>
                <div className="soft small">
                  {one.address !== undefined && `${one.address}, `}last used <Ago iso={one.lastUsedAt} />, until{' '}
                  <Moment iso={one.expiresAt} />
                </div>
              </div>
              <Button
                variant="default"
                size="xs"
                aria-label={`End the trust in ${deviceWords(one.userAgent)}`}
                loading={end.isPending && end.variables === one.id}
                onClick={() => end.mutate(one.id)}
              >
                End the trust
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function CodesDialog({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Dialog opened onClose={onClose} title="Your new recovery codes" size="md" closeOnClickOutside={false}>
      <Notice tone="amber" title="Shown only now">
        <p>The ones before do not work any more. Put these where your telephone is not.</p>
      </Notice>
      <ol className="recovery-list" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className="dialog-actions">
        <Copy text={codes.join('\n')} what="all ten codes" wide />
        <Button onClick={onClose}>I have stored them</Button>
      </div>
    </Dialog>
  );
}
