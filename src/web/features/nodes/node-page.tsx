import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { type WireNode, oneNodeSchema } from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { Copy, Facts } from '../../ui/bits.tsx';
import { IconArrowLeft, IconBan, IconLock, IconPlugConnected } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { NodeCertificates } from './node-certificates.tsx';
import { Revoke } from './node-drawer.tsx';
import { NodeKeysSection } from './node-keys-section.tsx';
import { callFigures, oneNode } from './node-queries.ts';
import { NodeSettings } from './node-settings.tsx';
import { NodeState } from './node-state.tsx';
import './nodes.css';

// Drawn when its figures are there anyway.
const CallsPicture = lazy(async () => ({ default: (await import('./calls-picture.tsx')).CallsPicture }));

/** One system: whether and how it comes in, what it may do, its certificates, how it has been doing. */
export function NodePage(): ReactNode {
  const { id } = useParams({ from: '/frame/nodes/$id' });
  const query = useQuery(oneNode(id));
  const node = query.data?.node;
  const above = (
    <Link to="/nodes" className="back">
      <IconArrowLeft size={16} aria-hidden /> Nodes
    </Link>
  );
  return (
    <Page
      title="Node"
      heading={node ? <Own>{node.name}</Own> : 'Node'}
      sentence="A system with its certificates and what it may do. Changes hold from its next request on."
      above={above}
      width="reading"
    >
      {query.isError && <FailureNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <ListSkeleton rows={6} />}
      {node && <NodeParts key={node.id} node={node} />}
    </Page>
  );
}

function NodeParts({ node }: { readonly node: WireNode }): ReactNode {
  const mayManage = useMay()('node.manage') && node.state !== 'revoked';
  return (
    <>
      {!node.intact && (
        <Notice tone="red" title="Changed outside of Careseal">
          <p>
            Somebody wrote to the database. This node is refused. Look into the audit log; then revoke it and add it
            again, or confirm it on the server with <code>careseal node confirm</code>.
          </p>
        </Notice>
      )}
      <NodeSituation node={node} mayManage={mayManage} />
      <NodeCertificates node={node} mayManage={mayManage} />
      <NodeSettings node={node} mayManage={mayManage} />
      <NodeKeysSection node={node} mayManage={mayManage} />
      <NodeCalls node={node} />
    </>
  );
}

interface PartProps {
  readonly node: WireNode;
  readonly mayManage: boolean;
}

function NodeSituation({ node, mayManage }: PartProps): ReactNode {
  const [asking, setAsking] = useState<'suspend' | 'revoke'>();
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ['nodes'] });
  const resume = useMutation({
    mutationFn: () => api.send('POST', `/api/nodes/${node.id}/resume`, oneNodeSchema),
    onSuccess: refresh,
  });
  return (
    <Section title="State" aside={<NodeState node={node} />}>
      {node.revokedReason !== undefined && (
        <Notice tone="info" title="Revoked">
          <p>“{node.revokedReason}”</p>
        </Notice>
      )}
      <Facts
        facts={[
          [
            'Client id',
            <span key="id" className="row-tight">
              <code>{node.id}</code> <Copy text={node.id} what="the client id" />
            </span>,
          ],
          ['Added', <Moment key="added" iso={node.createdAt} />],
          ['Last seen', node.lastSeenAt === undefined ? 'not yet' : <Moment key="seen" iso={node.lastSeenAt} />],
          node.contact === undefined ? undefined : ['Contact', <Own key="contact">{node.contact}</Own>],
        ]}
      />
      {resume.isError && <FailureNotice error={resume.error} focus />}
      {mayManage && (
        <div className="row drawer-actions">
          {node.state === 'suspended' ? (
            <Button
              leftSection={<IconPlugConnected size={17} aria-hidden />}
              loading={resume.isPending}
              onClick={() => resume.mutate()}
            >
              Let it in again
            </Button>
          ) : (
            <Button
              variant="default"
              leftSection={<IconLock size={17} aria-hidden />}
              onClick={() => setAsking('suspend')}
            >
              Suspend
            </Button>
          )}
          <Button variant="default" leftSection={<IconBan size={17} aria-hidden />} onClick={() => setAsking('revoke')}>
            Revoke
          </Button>
        </div>
      )}
      {asking === 'suspend' && <Suspend node={node} onClose={() => setAsking(undefined)} />}
      {asking === 'revoke' && <Revoke node={node} onClose={() => setAsking(undefined)} />}
    </Section>
  );
}

function Suspend({ node, onClose }: { readonly node: WireNode; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  return (
    <ReasonDialog
      title="Suspend this node"
      confirm="Suspend"
      draftKey={`suspend ${node.id}`}
      placeholder="For example: under investigation"
      onClose={onClose}
      act={async (reason) => {
        await api.send('POST', `/api/nodes/${node.id}/suspend`, oneNodeSchema, { reason });
        await queries.invalidateQueries({ queryKey: ['nodes'] });
      }}
    >
      <p>
        From the next request on, <Own strong>{node.name}</Own> is refused, on open connections too, until you let it in
        again. Nothing is lost.
      </p>
    </ReasonDialog>
  );
}

function NodeCalls({ node }: { readonly node: WireNode }): ReactNode {
  const figures = useQuery(callFigures(node.id, '24'));
  return (
    <Section
      title="The last day"
      aside={
        <Link to="/nodes/transactions" search={{ node: node.id }}>
          All its transactions
        </Link>
      }
    >
      {figures.isError && <FailureNotice error={figures.error} onRetry={() => void figures.refetch()} />}
      {figures.data && (
        <Suspense fallback={<ListSkeleton rows={3} />}>
          <CallsPicture figures={figures.data} />
        </Suspense>
      )}
    </Section>
  );
}
