import { Button, Modal, Select, Switch, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { trustSchema, type WireForeignAuthority, type WireTrust } from '../../../features/nodes/wire-trust.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { Copy, Facts, Tag } from '../../ui/bits.tsx';
import { IconKey, IconLock, IconPlus, IconUpload, IconX } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice, Notice } from '../../ui/notice.tsx';
import { useNow } from '../../ui/now.ts';
import { Page, Section } from '../../ui/page.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { CalendarDate, Moment, Own } from '../../ui/text.tsx';
import { expiryOfMoment, nodeList, trusted } from './node-queries.ts';
import { ExpiryTag } from './node-state.tsx';
import { NodeTabs } from './node-tabs.tsx';
import './nodes.css';

/** Whose certificates are met here: our own authority's, and those of others, by name. */
export function TrustPage(): ReactNode {
  const query = useQuery(trusted);
  const mayManage = useMay()('node.manage');
  const [adding, setAdding] = useState(false);
  const { own = [], foreign = [] } = query.data ?? {};
  const add = mayManage && (
    <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setAdding(true)}>
      Trust an authority
    </Button>
  );
  return (
    <Page
      title="Trust"
      sentence="Certificates come from Careseal’s own authority, or from authorities of others that you name here. A valid chain alone lets nobody in."
      action={foreign.length > 0 && add}
    >
      <NodeTabs />
      {query.isError && <FailureNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <ListSkeleton rows={4} />}
      {query.isSuccess && (
        <>
          <OwnAuthorities own={own} />
          <Section title="Authorities of others">
            {foreign.length === 0 && (
              <Empty icon={<IconKey size={24} />} title="No other authority is trusted" action={add}>
                <p>
                  If a ministry or hospital has an authority of its own, trust it here and say which name in its
                  certificates is which node. A single certificate is trusted on its node’s page.
                </p>
              </Empty>
            )}
            {foreign.map((authority) => (
              <Authority key={authority.id} authority={authority} mayManage={mayManage} />
            ))}
          </Section>
        </>
      )}
      {adding && <AddAuthority onClose={() => setAdding(false)} />}
    </Page>
  );
}

function OwnAuthorities({ own }: { readonly own: WireTrust['own'] }): ReactNode {
  const nowMs = useNow();
  return (
    <Section
      title="Careseal’s own authority"
      aside={
        <Button component="a" href="/api/ca.crt" variant="default" size="xs">
          Download ca.crt
        </Button>
      }
    >
      {own.map((authority) => (
        <div className="certificate" key={authority.id}>
          <div className="certificate-head">
            <Own strong>{authority.subject}</Own>
            <ExpiryTag expiry={expiryOfMoment(authority.notAfter, nowMs)} />
          </div>
          <div className="soft small">
            {authority.kind === 'root'
              ? 'The root: signs the issuing authority and nothing else'
              : 'Issues certificates'}
            {authority.crlNextUpdate !== undefined && (
              <>
                ; its <a href={authority.crlUrl}>list of revoked certificates</a> is renewed before{' '}
                <CalendarDate iso={authority.crlNextUpdate.slice(0, 10)} />
              </>
            )}
          </div>
          {authority.kind === 'root' && (
            <div className="small">
              <Tag tone={authority.keyIsHere ? 'plain' : 'accent'} icon={<IconLock aria-hidden />}>
                {authority.keyIsHere ? 'key stored sealed here' : 'key kept elsewhere'}
              </Tag>
            </div>
          )}
          <div className="certificate-print">
            <code>{authority.sha256}</code>
            <Copy text={authority.sha256} what="the fingerprint" />
          </div>
        </div>
      ))}
    </Section>
  );
}

/** Every change answers the whole list anew. */
function useTrustChange<Input>(act: (input: Input) => Promise<WireTrust>, onDone?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (answer) => {
      queries.setQueryData(trusted.queryKey, answer);
      onDone?.();
    },
  });
}

interface AuthorityProps {
  readonly authority: WireForeignAuthority;
  readonly mayManage: boolean;
}

function Authority({ authority, mayManage }: AuthorityProps): ReactNode {
  const nowMs = useNow();
  const nodes = useQuery(nodeList);
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'rule' | 'remove'>();
  const file = useRef<HTMLInputElement>(null);
  const path = `/api/trust/authorities/${authority.id}`;
  const removeRule = useTrustChange((id: string) => api.send('POST', `/api/trust/rules/${id}/remove`, trustSchema));
  const giveList = useTrustChange(async (chosen: File) => {
    const answer = await fetch(`${path}/crl`, { method: 'POST', headers: { 'x-careseal': '1' }, body: chosen });
    if (!answer.ok) throw new Error('refused');
    return trustSchema.parse(await answer.json());
  });
  const nameOf = (id: string) => nodes.data?.nodes.find((node) => node.id === id)?.name ?? id;
  return (
    <div className="certificate">
      <div className="certificate-head">
        <Own strong>{authority.name}</Own>
        <ExpiryTag expiry={expiryOfMoment(authority.notAfter, nowMs)} />
      </div>
      {!authority.intact && (
        <Notice tone="red" title="Changed outside of Careseal">
          <p>Somebody wrote to the database. This authority lets nobody in; remove it.</p>
        </Notice>
      )}
      <Facts
        facts={[
          ['Subject', <Own key="subject">{authority.subject}</Own>],
          [
            'Revoked certificates',
            authority.hasCrl ? (
              authority.crlNextUpdate === undefined ? (
                'a list is in use'
              ) : (
                <span key="list">
                  list until <Moment iso={authority.crlNextUpdate} />
                </span>
              )
            ) : authority.crlRequired ? (
              'no list yet, so nobody of it comes in'
            ) : (
              'no list'
            ),
          ],
          authority.acceptLong ? ['Long lives', 'taken, and ended after two years'] : undefined,
        ]}
      />
      <ul className="rule-list">
        {authority.rules.map((rule) => (
          <li key={rule.id}>
            <span>
              <code>
                {rule.attribute}={rule.value}
              </code>{' '}
              is <Own strong>{nameOf(rule.nodeId)}</Own>
            </span>
            {mayManage && (
              <Button
                variant="subtle"
                size="xs"
                leftSection={<IconX size={16} aria-hidden />}
                onClick={() => removeRule.mutate(rule.id)}
                aria-label={`Remove the rule ${rule.attribute}=${rule.value}`}
              >
                Remove
              </Button>
            )}
          </li>
        ))}
        {authority.rules.length === 0 && <li className="soft">No name of it is known yet, so nobody comes in.</li>}
      </ul>
      {(removeRule.isError || giveList.isError) && (
        <FailureNotice
          error={removeRule.error ?? giveList.error}
          {...(giveList.isError
            ? { failed: 'The list was not taken over.', todo: 'Choose the newest list that this authority signed.' }
            : {})}
          focus
        />
      )}
      {mayManage && (
        <div className="row drawer-actions">
          <Button variant="default" size="xs" onClick={() => setAsking('rule')}>
            Add a name
          </Button>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconUpload size={16} aria-hidden />}
            onClick={() => file.current?.click()}
          >
            Give its list of revoked
          </Button>
          <Button variant="default" size="xs" onClick={() => setAsking('remove')}>
            Trust no longer
          </Button>
          <input
            ref={file}
            type="file"
            accept=".crl,.pem"
            className="visually-hidden"
            tabIndex={-1}
            aria-label={`List of revoked certificates of ${authority.name}`}
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              if (chosen) giveList.mutate(chosen);
            }}
          />
        </div>
      )}
      {asking === 'rule' && <AddRule authority={authority} onClose={() => setAsking(undefined)} />}
      {asking === 'remove' && (
        <ReasonDialog
          title="Trust this authority no longer"
          confirm="Trust no longer"
          danger
          draftKey={`distrust ${authority.id}`}
          onClose={() => setAsking(undefined)}
          act={async (reason) => {
            queries.setQueryData(trusted.queryKey, await api.send('POST', `${path}/remove`, trustSchema, { reason }));
          }}
        >
          <p>From the next request on, every node that comes in with its certificates is refused.</p>
        </ReasonDialog>
      )}
    </div>
  );
}

function AddAuthority({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [name, setName] = useState('');
  const [certificate, setCertificate] = useState('');
  const [acceptLong, setAcceptLong] = useState(false);
  const [crlRequired, setCrlRequired] = useState(false);
  const add = useTrustChange(
    () => api.send('POST', '/api/trust/authorities', trustSchema, { name, certificate, acceptLong, crlRequired }),
    onClose,
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate(undefined);
  };
  return (
    <Modal opened onClose={onClose} title="Trust an authority" size="lg">
      <form className="node-form" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Name"
          description="What people call it, for example “Ministry of Health”."
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          className="csr-text"
          label="Its certificate (PEM)"
          description="Of the authority that signs the systems’ certificates itself."
          placeholder="-----BEGIN CERTIFICATE-----"
          value={certificate}
          onChange={(event) => setCertificate(event.currentTarget.value)}
          autosize
          minRows={5}
          maxRows={12}
          spellCheck={false}
        />
        <Switch
          label="Refuse all of it while its list of revoked certificates is missing or over"
          checked={crlRequired}
          onChange={(event) => setCrlRequired(event.currentTarget.checked)}
        />
        <Switch
          label="Take certificates of more than two years"
          description="They are accepted for two years all the same."
          checked={acceptLong}
          onChange={(event) => setAcceptLong(event.currentTarget.checked)}
        />
        {add.isError && <FailureNotice error={add.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === '' || certificate.trim() === ''}>
            Trust it
          </Button>
        </div>
      </form>
    </Modal>
  );
}

const ATTRIBUTES = [
  { value: 'cn', label: 'Common name (CN)' },
  { value: 'dns', label: 'DNS name' },
  { value: 'uri', label: 'URI' },
  { value: 'email', label: 'E-mail address' },
] as const;

function AddRule({
  authority,
  onClose,
}: {
  readonly authority: WireForeignAuthority;
  readonly onClose: () => void;
}): ReactNode {
  const nodes = useQuery(nodeList);
  const [nodeId, setNodeId] = useState<string | null>(null);
  const [attribute, setAttribute] = useState<string>('cn');
  const [value, setValue] = useState('');
  const add = useTrustChange(
    () => api.send('POST', '/api/trust/rules', trustSchema, { authorityId: authority.id, nodeId, attribute, value }),
    onClose,
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate(undefined);
  };
  return (
    <Modal opened onClose={onClose} title="A name of this authority" size="md">
      <form className="node-form" onSubmit={submit} noValidate>
        <p className="section-note">
          A certificate of <Own strong>{authority.name}</Own> with exactly this name is this node.
        </p>
        <Select
          label="Kind of name"
          value={attribute}
          allowDeselect={false}
          data={[...ATTRIBUTES]}
          onChange={(chosen) => setAttribute(chosen ?? 'cn')}
        />
        <TextInput
          label="Name"
          value={value}
          maxLength={255}
          spellCheck={false}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Select
          label="Node"
          placeholder="Choose a node"
          searchable
          value={nodeId}
          data={(nodes.data?.nodes ?? [])
            .filter((node) => node.state !== 'revoked')
            .map((node) => ({ value: node.id, label: node.name }))}
          onChange={setNodeId}
        />
        {add.isError && <FailureNotice error={add.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={nodeId === null || value.trim() === ''}>
            Add
          </Button>
        </div>
      </form>
    </Modal>
  );
}
