import { Button, Menu } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { ClientDetailReply } from '../../../features/registry/wire.ts';
import { useMay } from '../../app/session.tsx';
import { PageWait } from '../../app/page-wait.tsx';
import { plural } from '../../app/words.ts';
import { Copy, Tag } from '../../ui/bits.tsx';
import {
  IconAlertTriangle,
  IconArrowLeft,
  IconArrowsSplit2,
  IconClipboardList,
  IconDotsVertical,
  IconGitMerge,
} from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { clientDetail } from './client-queries.ts';
import { useHandled } from './handled.ts';
import { Demographics } from './demographics.tsx';
import { Ledger } from './ledger.tsx';
import { LinksPicture } from './links-picture.tsx';
import { MergeDialog } from './merge-dialog.tsx';
import { NeverLinkDialog, TakeOutDialog, UndoEntryDialog, UnmergeDialog } from './registry-dialogs.tsx';
import { SharesSection } from './shares-section.tsx';
import { SourceRecords } from './source-records.tsx';
import './client.css';

/** One person: what is known and from whom, why the records are one, and what was decided. */
export function ClientPage(): ReactNode {
  const { id } = useParams({ from: '/frame/clients/$id' });
  const detail = useQuery(clientDetail(id));
  if (detail.isPending) return <PageWait />;
  if (detail.isError) {
    return (
      <Page title="Client" sentence="This client could not be shown." above={<Back />} width="reading">
        <FailureNotice error={detail.error} onRetry={() => void detail.refetch()} />
      </Page>
    );
  }
  return <ClientView detail={detail.data} />;
}

function Back(): ReactNode {
  return (
    <Link to="/clients" className="back">
      <IconArrowLeft size={16} aria-hidden /> Clients
    </Link>
  );
}

/** What a dialog is open for. */
type Doing =
  | { readonly kind: 'take-out'; readonly sourceId: string }
  | { readonly kind: 'never'; readonly a: string; readonly b: string }
  | { readonly kind: 'undo'; readonly entryId: string }
  | { readonly kind: 'merge' }
  | { readonly kind: 'unmerge' };

function ClientView({ detail }: { readonly detail: ClientDetailReply }): ReactNode {
  const { client, sources } = detail;
  const may = useMay();
  const [doing, setDoing] = useState<Doing>();
  const [done, setDone] = useState<ReactNode>();
  useHandled(client.id);
  const decides = may('review.decide');
  const close = (): void => setDoing(undefined);
  return (
    <Page
      title="Client"
      heading={<Own>{client.name === '' ? '(no name)' : client.name}</Own>}
      sentence={`What ${plural(sources.length, 'source record says', 'source records say')} about this person, put together. No record was changed for it.`}
      above={<Back />}
      action={<Actions detail={detail} decides={decides} onDo={setDoing} />}
    >
      <Standing detail={detail} />
      {done !== undefined && (
        <div className="client-done">
          <Notice tone="done" live>
            {done}
          </Notice>
        </div>
      )}
      <div className="client-grid">
        <div>
          <Section title="What is known">
            <Demographics demographics={client.demographics} />
          </Section>
          <Section title="History" id="history">
            <Ledger
              entries={detail.ledger}
              onUndo={decides ? (entryId) => setDoing({ kind: 'undo', entryId }) : undefined}
            />
          </Section>
        </div>
        <Section title="Why these records are one person">
          <LinksPicture
            detail={detail}
            decides={decides}
            onTakeOut={(sourceId) => setDoing({ kind: 'take-out', sourceId })}
            onNever={(a, b) => setDoing({ kind: 'never', a, b })}
          />
        </Section>
      </div>
      <Section
        title="Source records"
        note="As each system or file sent them, side by side. Lines that differ are marked with ≠."
        id="records"
      >
        <SourceRecords
          sources={sources}
          mayTakeOut={decides && sources.length > 1}
          onTakeOut={(sourceId) => setDoing({ kind: 'take-out', sourceId })}
        />
        {detail.sourcesElsewhere > 0 && (
          <p className="soft">
            {plural(detail.sourcesElsewhere, 'record', 'records')} of other organisations are part of this client and
            not shown here.
          </p>
        )}
      </Section>
      {client.active && <SharesSection clientId={client.id} />}
      {doing && <Dialogs doing={doing} detail={detail} onClose={close} onDone={setDone} />}
    </Page>
  );
}

interface DialogsProps {
  readonly doing: Doing;
  readonly detail: ClientDetailReply;
  readonly onClose: () => void;
  readonly onDone: (words: ReactNode) => void;
}

function Dialogs({ doing, ...rest }: DialogsProps): ReactNode {
  switch (doing.kind) {
    case 'take-out':
      return <TakeOutDialog {...rest} sourceId={doing.sourceId} />;
    case 'never':
      return <NeverLinkDialog {...rest} pair={doing} />;
    case 'undo':
      return <UndoEntryDialog {...rest} entryId={doing.entryId} />;
    case 'merge':
      return <MergeDialog client={rest.detail.client} onClose={rest.onClose} />;
    case 'unmerge':
      return <UnmergeDialog {...rest} />;
  }
}

/** Merges of this client that were not undone yet. */
function hasMerge(detail: ClientDetailReply): boolean {
  const count = (kind: string): number => detail.ledger.filter((entry) => entry.kind === kind).length;
  return count('merged') > count('unmerged');
}

interface ActionsProps {
  readonly detail: ClientDetailReply;
  readonly decides: boolean;
  readonly onDo: (doing: Doing) => void;
}

function Actions({ detail, decides, onDo }: ActionsProps): ReactNode {
  const may = useMay();
  const { client, sources } = detail;
  const gone = client.replacedBy !== undefined;
  return (
    <>
      {decides && !gone && (
        <Button
          variant="default"
          leftSection={<IconGitMerge size={17} aria-hidden />}
          onClick={() => onDo({ kind: 'merge' })}
        >
          Merge with another client
        </Button>
      )}
      <Menu position="bottom-end" width={270} withinPortal>
        <Menu.Target>
          <Button variant="default" aria-label="More actions" px={9}>
            <IconDotsVertical size={18} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {may('audit.read') && (
            <Menu.Item
              leftSection={<IconClipboardList size={17} aria-hidden />}
              renderRoot={(props) => <Link to="/audit/clients/$id" params={{ id: client.id }} {...props} />}
            >
              Who looked at this client
            </Menu.Item>
          )}
          {decides && (
            <Menu.Item
              leftSection={<IconArrowsSplit2 size={17} aria-hidden />}
              disabled={!hasMerge(detail)}
              onClick={() => onDo({ kind: 'unmerge' })}
            >
              Undo the last merge
            </Menu.Item>
          )}
          <Menu.Label>
            {sources.length > 1
              ? 'To take one record out, use the button on the record below.'
              : 'A client with one record has nothing to take out.'}
          </Menu.Label>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

/** State in words, and what stands in the way. */
function Standing({ detail }: { readonly detail: ClientDetailReply }): ReactNode {
  const { client } = detail;
  const may = useMay();
  return (
    <>
      <div className="client-standing">
        {client.replacedBy !== undefined ? (
          <Tag tone="amber">Merged away</Tag>
        ) : client.active ? (
          <Tag tone="accent">Active</Tag>
        ) : (
          <Tag tone="quiet">Not active</Tag>
        )}
        <span className="soft">
          Version {client.version}, changed <Moment iso={client.updatedAt} />
        </span>
        <span className="client-id soft">
          <code>{client.id}</code>
          <Copy text={client.id} what="the client’s id" />
        </span>
      </div>
      {client.altered === true && (
        <Notice tone="amber" title="This client was changed past Careseal">
          <p>
            Somebody wrote to the database by other ways. The client is kept from people of single organisations, and
            nothing can be changed about it, until it is put right. Do not go by what stands below: records may have
            been put to it. On the server, an administrator runs <code>careseal registry check</code> to see what was
            changed, and <code>careseal registry repair</code> to put it right.
          </p>
        </Notice>
      )}
      {client.replacedBy !== undefined && (
        <Notice
          tone="amber"
          title="This client was merged into another"
          action={
            <Button component={Link} to={`/clients/${client.replacedBy}`} variant="default">
              Open the other
            </Button>
          }
        >
          <p>Whoever asks for this one is sent to the other, for ever. The merge can be undone there.</p>
        </Notice>
      )}
      {detail.reviewsOpen > 0 && (
        <div className="client-reviews">
          <IconAlertTriangle size={18} aria-hidden />
          {plural(detail.reviewsOpen, 'review waits', 'reviews wait')} for a decision about this client.
          {may('review.read') && <Link to="/reviews">Open the queue</Link>}
        </div>
      )}
    </>
  );
}
