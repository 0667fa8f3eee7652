import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { trustSchema, type WireForeignAuthority } from '../../../features/nodes/wire-trust.ts';
import { api } from '../../app/api.ts';
import { Facts } from '../../ui/bits.tsx';
import { IconUpload, IconX } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { useNow } from '../../ui/now.ts';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { expiryOfMoment, nodeList, trusted } from './node-queries.ts';
import { ExpiryTag } from './node-state.tsx';
import { AddRule, ListAddress, useTrustChange } from './trust-dialogs.tsx';
import './nodes.css';

interface AuthorityProps {
  readonly authority: WireForeignAuthority;
  readonly mayManage: boolean;
}

/** One authority of somebody else: its names, its list of revoked certificates. */
export function Authority({ authority, mayManage }: AuthorityProps): ReactNode {
  const nowMs = useNow();
  const [asking, setAsking] = useState<'rule' | 'address' | 'remove'>();
  const path = `/api/trust/authorities/${authority.id}`;
  const removeRule = useTrustChange((id: string) => api.send('POST', `/api/trust/rules/${id}/remove`, trustSchema));
  const giveList = useTrustChange(async (chosen: File) => {
    const answer = await fetch(`${path}/crl`, { method: 'POST', headers: { 'x-careseal': '1' }, body: chosen });
    if (!answer.ok) throw new Error('refused');
    return trustSchema.parse(await answer.json());
  });
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
      <AuthorityFacts authority={authority} />
      <Rules authority={authority} onRemove={mayManage ? (id) => removeRule.mutate(id) : undefined} />
      {(removeRule.isError || giveList.isError) && (
        <FailureNotice
          error={removeRule.error ?? giveList.error}
          {...(giveList.isError
            ? { failed: 'The list was not taken over.', todo: 'Choose the newest list that this authority signed.' }
            : {})}
          focus
        />
      )}
      {mayManage && <Acts authority={authority} onAsk={setAsking} onList={(chosen) => giveList.mutate(chosen)} />}
      {asking === 'rule' && <AddRule authority={authority} onClose={() => setAsking(undefined)} />}
      {asking === 'address' && <ListAddress authority={authority} onClose={() => setAsking(undefined)} />}
      {asking === 'remove' && <Distrust path={path} id={authority.id} onClose={() => setAsking(undefined)} />}
    </div>
  );
}

interface ActsProps {
  readonly authority: WireForeignAuthority;
  readonly onAsk: (what: 'rule' | 'address' | 'remove') => void;
  readonly onList: (chosen: File) => void;
}

function Acts({ authority, onAsk, onList }: ActsProps): ReactNode {
  const file = useRef<HTMLInputElement>(null);
  return (
    <div className="row drawer-actions">
      <Button variant="default" size="xs" onClick={() => onAsk('rule')}>
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
      <Button variant="default" size="xs" onClick={() => onAsk('address')}>
        {authority.crlUrl === undefined ? 'Fetch it from an address' : 'Change its address'}
      </Button>
      <Button variant="default" size="xs" onClick={() => onAsk('remove')}>
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
          if (chosen) onList(chosen);
        }}
      />
    </div>
  );
}

function Distrust({
  path,
  id,
  onClose,
}: {
  readonly path: string;
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  const queries = useQueryClient();
  return (
    <ReasonDialog
      title="Trust this authority no longer"
      confirm="Trust no longer"
      danger
      draftKey={`distrust ${id}`}
      onClose={onClose}
      act={async (reason) => {
        queries.setQueryData(trusted.queryKey, await api.send('POST', `${path}/remove`, trustSchema, { reason }));
      }}
    >
      <p>From the next request on, every node that comes in with its certificates is refused.</p>
    </ReasonDialog>
  );
}

function AuthorityFacts({ authority }: { readonly authority: WireForeignAuthority }): ReactNode {
  return (
    <Facts
      facts={[
        ['Subject', <Own key="subject">{authority.subject}</Own>],
        ['Revoked certificates', <ListState key="list" authority={authority} />],
        authority.crlUrl === undefined ? undefined : ['List from', <ListSource key="from" authority={authority} />],
        authority.acceptLong ? ['Long lives', 'taken, and ended after two years'] : undefined,
      ]}
    />
  );
}

function ListState({ authority }: { readonly authority: WireForeignAuthority }): ReactNode {
  const nowMs = useNow();
  const { hasCrl, crlNextUpdate, crlRequired } = authority;
  if (!hasCrl) return crlRequired ? 'no list yet, so nobody of it comes in' : 'no list';
  if (crlNextUpdate === undefined) return 'a list is in use';
  if (Date.parse(crlNextUpdate) > nowMs)
    return (
      <>
        list until <Moment iso={crlNextUpdate} />
      </>
    );
  return (
    <strong>
      the list ran out <Moment iso={crlNextUpdate} />
      {crlRequired ? ', so nobody of it comes in' : '; it still counts, but newer revocations are not known'}
    </strong>
  );
}

function ListSource({ authority }: { readonly authority: WireForeignAuthority }): ReactNode {
  const { crlUrl, crlTriedAt, crlFailure } = authority;
  return (
    <>
      <code>{crlUrl}</code>
      {crlTriedAt !== undefined && (
        <div className="soft">
          {crlFailure === undefined ? 'fetched ' : `could not be fetched (${crlFailure}), last tried `}
          <Moment iso={crlTriedAt} />
        </div>
      )}
    </>
  );
}

interface RulesProps {
  readonly authority: WireForeignAuthority;
  readonly onRemove: ((id: string) => void) | undefined;
}

function Rules({ authority, onRemove }: RulesProps): ReactNode {
  const nodes = useQuery(nodeList);
  const nameOf = (id: string) => nodes.data?.nodes.find((node) => node.id === id)?.name ?? id;
  return (
    <ul className="rule-list">
      {authority.rules.map((rule) => (
        <li key={rule.id}>
          <span>
            <code>
              {rule.attribute}={rule.value}
            </code>{' '}
            is <Own strong>{nameOf(rule.nodeId)}</Own>
          </span>
          {onRemove && (
            <Button
              variant="subtle"
              size="xs"
              leftSection={<IconX size={16} aria-hidden />}
              onClick={() => onRemove(rule.id)}
              aria-label={`Remove the rule ${rule.attribute}=${rule.value}`}
            >
              Remove
            </Button>
          )}
        </li>
      ))}
      {authority.rules.length === 0 && <li className="soft">No name of it is known yet, so nobody comes in.</li>}
    </ul>
  );
}
