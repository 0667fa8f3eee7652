import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { AuditStatusReply } from '../../../features/audit/wire.ts';
import { saveFile } from '../../app/save-file.ts';
import { plural } from '../../app/words.ts';
import { Exact } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBinaryTree2, IconDownload } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { Ago, Moment } from '../../ui/text.tsx';
import { auditStatus } from './audit-queries.ts';

/** In one line: is the log whole, how long is it, when was it last signed. */
export function AuditProofLine(): ReactNode {
  const status = useQuery(auditStatus);
  const [open, setOpen] = useState(false);
  if (status.isPending) return <Skeleton height={44} radius="md" mb="md" />;
  if (status.isError) return <FailureNotice error={status.error} onRetry={() => void status.refetch()} />;
  const { ok, size, signedAt, pending } = status.data;
  const Icon = ok ? IconBinaryTree2 : IconAlertTriangle;
  return (
    <>
      <div className="proof-line" data-ok={ok} role="status">
        <Icon size={20} stroke={1.7} aria-hidden />
        <span>
          {ok ? (
            <>
              <strong>The log is whole.</strong> {plural(size, 'event', 'events')} in the tree
              {signedAt !== undefined && (
                <>
                  , signed <Ago iso={signedAt} />
                </>
              )}
              {pending > 0 && `, ${pending.toLocaleString()} on the way`}.
            </>
          ) : (
            <>
              <strong>The log cannot be vouched for.</strong> {plural(pending, 'event waits', 'events wait')} too long,
              or the signed head does not fit. Run <code>npm run careseal -- audit verify</code> on the server.
            </>
          )}
        </span>
        <Button variant="default" size="xs" onClick={() => setOpen(true)}>
          What this means
        </Button>
      </div>
      {open && <HowItProves status={status.data} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Programs for somebody who does not trust this server. Served to anybody: they hold no data. */
function CheckElsewhere(): ReactNode {
  return (
    <>
      <h3 className="drawer-heading">Check it without this server</h3>
      <div className="proof-words">
        <p>
          Two ways to check an event that was downloaded with its proof, or an exported log, on another machine. Both
          need no network:
        </p>
        <ul className="plain-list">
          <li>
            <a href="/verify/careseal-verify.html" download>
              careseal-verify.html
            </a>
            , a page: save it, open it in a browser, choose the file and give the key.
          </li>
          <li>
            <a href="/verify/careseal-verify.mjs" download>
              careseal-verify.mjs
            </a>
            , a program of one file for Node: <code>node careseal-verify.mjs --key KEY FILE</code>
          </li>
        </ul>
        <p>
          A program is worth as much as the place it comes from. Who has to doubt this server takes it, and the key,
          from somewhere else: from the source of Careseal, or from an earlier visit.
        </p>
      </div>
    </>
  );
}

interface HowItProvesProps {
  readonly status: AuditStatusReply;
  readonly onClose: () => void;
}

function HowItProves({ status, onClose }: HowItProvesProps): ReactNode {
  return (
    <SideDrawer title="How the log proves itself" onClose={onClose}>
      <div className="proof-words">
        <p>
          Every event becomes a leaf of a tree of hashes. The head of the tree is signed. Whoever keeps an old signed
          head can check later that nothing before it was changed, taken out or put in, without trusting this server.
        </p>
        <p>
          Keep one outside from time to time: print it, or mail it to somebody. What happened after the last head kept
          outside is not protected against somebody who takes over the server.
        </p>
      </div>
      {status.checkpoint === '' ? (
        <p className="soft">There is no signed head yet.</p>
      ) : (
        <>
          <h3 className="drawer-heading">
            The signed head{' '}
            {status.signedAt !== undefined && (
              <span className="soft">
                <Moment iso={status.signedAt} seconds />
              </span>
            )}
          </h3>
          <Exact text={status.checkpoint} what="the signed head" lines />
          <Button
            mt="sm"
            variant="default"
            leftSection={<IconDownload size={17} aria-hidden />}
            onClick={() => saveFile('careseal-checkpoint.txt', status.checkpoint, 'text/plain')}
          >
            Keep it as a file
          </Button>
        </>
      )}
      <h3 className="drawer-heading">The key to check it with</h3>
      <Exact text={status.verifierKey} what="the verifier key" />
      <CheckElsewhere />
    </SideDrawer>
  );
}
