import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { type WireNode, oneNodeSchema } from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { Facts } from '../../ui/bits.tsx';
import { IconBan } from '../../ui/icons.ts';
import { Notice } from '../../ui/notice.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { nodeList } from './node-queries.ts';
import { SCOPE_WORDS } from './scope-field.tsx';
import { NodeExpiry, NodeState } from './node-state.tsx';
import './nodes.css';

export interface NodeDrawerProps {
  readonly node: WireNode;
  readonly mayManage: boolean;
  readonly onClose: () => void;
}

export function NodeDrawer({ node, mayManage, onClose }: NodeDrawerProps): ReactNode {
  const [revoking, setRevoking] = useState(false);
  const may = useMay();
  return (
    <SideDrawer title={<Own>{node.name}</Own>} onClose={onClose}>
      {!node.intact && (
        <Notice tone="red" title="Changed outside of Careseal">
          <p>Somebody wrote to the database. This node is refused until it is revoked, or confirmed on the server.</p>
        </Notice>
      )}
      {node.state === 'revoked' && (
        <Notice tone="info" title="Revoked">
          <p>
            {node.revokedAt !== undefined && <Moment iso={node.revokedAt} />}
            {node.revokedReason !== undefined && `: “${node.revokedReason}”`}
          </p>
        </Notice>
      )}
      <Facts
        facts={[
          ['State', <NodeState key="state" node={node} />],
          [
            node.domains.length === 1 ? 'Domain' : 'Domains',
            <ul key="domains" className="plain-list">
              {node.domains.map((domain) => (
                <li key={domain}>
                  <code>{domain}</code>
                </li>
              ))}
            </ul>,
          ],
          ['Certificate until', <NodeExpiry key="expiry" node={node} />],
          ['May', node.scopes.length === 0 ? 'nothing' : node.scopes.map((scope) => SCOPE_WORDS[scope]).join(', ')],
          ['Added', <Moment key="added" iso={node.createdAt} />],
          ['Last seen', node.lastSeenAt === undefined ? 'not yet' : <Moment key="seen" iso={node.lastSeenAt} />],
        ]}
      />
      <div className="row drawer-actions">
        <Button component={Link} to={`/nodes/${node.id}`}>
          Open
        </Button>
        {may('audit.read') && (
          <Button component={Link} to={`/audit?actor=${encodeURIComponent(node.id)}`} variant="default">
            What it did
          </Button>
        )}
        {mayManage && node.state !== 'revoked' && (
          <Button variant="default" leftSection={<IconBan size={17} aria-hidden />} onClick={() => setRevoking(true)}>
            Revoke
          </Button>
        )}
      </div>
      {revoking && <Revoke node={node} onClose={() => setRevoking(false)} />}
    </SideDrawer>
  );
}

export function Revoke({ node, onClose }: { readonly node: WireNode; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  return (
    <ReasonDialog
      title="Revoke this node"
      confirm="Revoke"
      danger
      draftKey={`revoke ${node.id}`}
      placeholder="For example: laptop stolen"
      onClose={onClose}
      act={async (reason) => {
        await api.send('POST', `/api/nodes/${node.id}/revoke`, oneNodeSchema, { reason });
        await queries.invalidateQueries({ queryKey: nodeList.queryKey });
        await queries.invalidateQueries({ queryKey: ['home'] });
      }}
    >
      <p>
        From the next request on, <Own strong>{node.name}</Own> is refused. This cannot be taken back: to connect it
        again, add it as a new node.
      </p>
      <p>The records it sent stay, with their links and history.</p>
    </ReasonDialog>
  );
}
