import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { WireTrust } from '../../../features/nodes/wire-trust.ts';
import { useMay } from '../../app/session.tsx';
import { Copy, Tag } from '../../ui/bits.tsx';
import { IconKey, IconLock, IconPlus } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { useNow } from '../../ui/now.ts';
import { Page, Section } from '../../ui/page.tsx';
import { CalendarDate, Own } from '../../ui/text.tsx';
import { expiryOfMoment, trusted } from './node-queries.ts';
import { ExpiryTag } from './node-state.tsx';
import { Authority } from './trust-authority.tsx';
import { AddAuthority } from './trust-dialogs.tsx';
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
