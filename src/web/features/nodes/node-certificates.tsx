import { Button, Select } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import {
  type AddNodeResponse,
  addNodeResponseSchema,
  oneNodeSchema,
  type WireCertificate,
  type WireNode,
} from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';
import { Copy, Tag } from '../../ui/bits.tsx';
import { IconBan, IconPlus } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { useNow } from '../../ui/now.ts';
import { Section } from '../../ui/page.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { CalendarDate, Moment, Own } from '../../ui/text.tsx';
import { CertificateField } from './certificate-field.tsx';
import { CsrField } from './csr-field.tsx';
import { Invitation, NodeFiles } from './node-files.tsx';
import { expiryOfMoment } from './node-queries.ts';
import { ExpiryTag } from './node-state.tsx';
import './nodes.css';

const ORIGIN: Readonly<Record<WireCertificate['origin'], string>> = {
  issued: 'issued here',
  trusted: 'trusted for itself',
  foreign: 'of a trusted authority',
};

type Way = 'make' | 'csr' | 'invite' | 'trust';
const WAYS = [
  { value: 'invite', label: 'It fetches one itself with a one-time token' },
  { value: 'csr', label: 'For its certificate request (CSR)' },
  { value: 'make', label: 'Careseal makes the key' },
  { value: 'trust', label: 'It has one already: trust that' },
] as const;

export function NodeCertificates({
  node,
  mayManage,
}: {
  readonly node: WireNode;
  readonly mayManage: boolean;
}): ReactNode {
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<WireCertificate>();
  return (
    <Section
      title="Certificates"
      note="A node may have several while it changes over. It can renew by itself before the end."
    >
      {node.certificates.length === 0 && <p className="soft">None yet.</p>}
      {node.certificates.map((certificate) => (
        <Certificate
          key={certificate.sha256}
          certificate={certificate}
          onRevoke={mayManage && certificate.revokedAt === undefined ? () => setRevoking(certificate) : undefined}
        />
      ))}
      {mayManage && !adding && (
        <div className="row drawer-actions">
          <Button variant="default" leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setAdding(true)}>
            Add a certificate
          </Button>
        </div>
      )}
      {adding && <AddCertificate node={node} onDone={() => setAdding(false)} />}
      {revoking && <RevokeCertificate node={node} certificate={revoking} onClose={() => setRevoking(undefined)} />}
    </Section>
  );
}

interface CertificateProps {
  readonly certificate: WireCertificate;
  readonly onRevoke: (() => void) | undefined;
}

function Certificate({ certificate, onRevoke }: CertificateProps): ReactNode {
  const nowMs = useNow();
  const { revokedAt, endsAt, notAfter, lastSeenAt } = certificate;
  return (
    <div className="certificate">
      <div className="certificate-head">
        <Own strong>{certificate.subject}</Own>
        {revokedAt === undefined ? (
          <ExpiryTag expiry={expiryOfMoment(endsAt, nowMs)} />
        ) : (
          <Tag tone="quiet" icon={<IconBan aria-hidden />}>
            revoked
          </Tag>
        )}
      </div>
      <div className="soft small">
        {ORIGIN[certificate.origin]}, <CalendarDate iso={certificate.notBefore.slice(0, 10)} /> to{' '}
        <CalendarDate iso={notAfter.slice(0, 10)} />
        {endsAt !== notAfter && (
          <>
            , accepted until <CalendarDate iso={endsAt.slice(0, 10)} />
          </>
        )}
        {revokedAt !== undefined && (
          <>
            , revoked <Moment iso={revokedAt} />
          </>
        )}
        {lastSeenAt !== undefined && (
          <>
            , last used <Moment iso={lastSeenAt} />
          </>
        )}
      </div>
      {!certificate.intact && <p className="certificate-bad">Changed outside of Careseal: refused.</p>}
      <div className="certificate-print">
        <code>{certificate.sha256}</code>
        <Copy text={certificate.sha256} what="the fingerprint" />
        {onRevoke && (
          <Button variant="default" size="xs" onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </div>
    </div>
  );
}

function AddCertificate({ node, onDone }: { readonly node: WireNode; readonly onDone: () => void }): ReactNode {
  const [way, setWay] = useState<Way>('invite');
  const [text, setText] = useState('');
  const [acceptLong, setAcceptLong] = useState(false);
  const [answer, setAnswer] = useState<AddNodeResponse>();
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: async () => {
      const path = `/api/nodes/${node.id}`;
      if (way === 'invite') setAnswer(await api.send('POST', `${path}/invitation`, addNodeResponseSchema));
      else if (way === 'trust') {
        await api.send('POST', `${path}/trusted-certificates`, oneNodeSchema, { certificate: text, acceptLong });
        onDone();
      } else
        setAnswer(
          await api.send('POST', `${path}/certificates`, addNodeResponseSchema, way === 'csr' ? { csr: text } : {}),
        );
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['nodes'] }),
  });
  if (answer) return answer.invitation ? <Invitation answer={answer} /> : <NodeFiles answer={answer} />;
  return (
    <form
      className="node-form certificate-form"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Select
        label="How"
        value={way}
        allowDeselect={false}
        onChange={(chosen) => setWay(chosen ?? 'invite')}
        data={[...WAYS]}
      />
      {way === 'csr' && <CsrField value={text} onChange={setText} error={false} />}
      {way === 'trust' && (
        <CertificateField value={text} onChange={setText} acceptLong={acceptLong} onAcceptLong={setAcceptLong} />
      )}
      {way !== 'trust' && way !== 'invite' && node.certificates.some((one) => one.revokedAt === undefined) && (
        <Notice tone="info">
          <p>Its other certificates go on for 14 days, so that it can change over.</p>
        </Notice>
      )}
      {add.isError && <FailureNotice error={add.error} focus />}
      <div className="row">
        <Button type="submit" loading={add.isPending}>
          {way === 'invite' ? 'Make the token' : way === 'trust' ? 'Trust it' : 'Issue it'}
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

interface RevokeCertificateProps {
  readonly node: WireNode;
  readonly certificate: WireCertificate;
  readonly onClose: () => void;
}

function RevokeCertificate({ node, certificate, onClose }: RevokeCertificateProps): ReactNode {
  const queries = useQueryClient();
  return (
    <ReasonDialog
      title="Revoke this certificate"
      confirm="Revoke"
      danger
      draftKey={`revoke ${certificate.sha256}`}
      placeholder="For example: key was copied to another machine"
      onClose={onClose}
      act={async (reason) => {
        const path = `/api/nodes/${node.id}/certificates/${certificate.sha256}/revoke`;
        await api.send('POST', path, oneNodeSchema, { why: 'unspecified', reason });
        await queries.invalidateQueries({ queryKey: ['nodes'] });
      }}
    >
      <p>
        From the next request on, this certificate is refused, and the published list of revoked certificates says so.
        Other certificates of <Own strong>{node.name}</Own> go on to work.
      </p>
    </ReasonDialog>
  );
}
