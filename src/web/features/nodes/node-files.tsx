import { Button, Checkbox } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { AddNodeResponse, WireNodeFiles } from '../../../features/nodes/wire.ts';
import { saveBlob, saveFile } from '../../app/save-file.ts';
import { Exact, Tag } from '../../ui/bits.tsx';
import { IconCheck, IconDownload } from '../../ui/icons.ts';
import { Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Moment } from '../../ui/text.tsx';
import './nodes.css';

const ABOUT = {
  'node.key': 'its private key: secret, shown only now',
  'node.p12': 'key and certificate in one, for Java and Windows: secret, shown only now',
  'node.crt': 'its certificate',
  'ca.crt': 'by which it knows this server',
} as const;
type FileName = keyof typeof ABOUT;
const NAMES = ['node.key', 'node.p12', 'node.crt', 'ca.crt'] as const;

/** The files, once, and the line to test them with. */
export function NodeFiles({ answer }: { readonly answer: AddNodeResponse }): ReactNode {
  const { files, fhirUrl } = answer;
  const [saved, setSaved] = useState<ReadonlySet<string>>(new Set());
  const [certain, setCertain] = useState(false);
  const secret = files['node.key'] !== undefined;
  const safe = !secret || saved.has('node.key') || saved.has('node.p12') || certain;
  useBlocker({
    shouldBlockFn: () => !safe && !window.confirm('The private key is not saved yet and cannot be shown again. Leave?'),
    enableBeforeUnload: () => !safe,
  });
  const test = `curl --cert node.crt --key node.key --cacert ca.crt \\\n  ${fhirUrl}/metadata`;
  return (
    <>
      {secret && (
        <Notice tone="amber" title="The private key is shown only now">
          <p>Careseal keeps no copy. If it is lost, add a certificate to the node.</p>
        </Notice>
      )}
      <Files files={files} saved={saved} onSaved={(name) => setSaved((before) => new Set(before).add(name))} />
      <Section
        title="Test the connection"
        note="In the folder with the files. It answers with what this server can do."
      >
        <Exact text={test} what="the test command" />
      </Section>
      <div className="row drawer-actions">
        {secret && (
          <Checkbox
            label="I have stored the key"
            checked={certain || saved.has('node.key')}
            onChange={(event) => setCertain(event.currentTarget.checked)}
          />
        )}
        <Button component={Link} to="/nodes" variant="default" disabled={!safe}>
          Done
        </Button>
      </div>
    </>
  );
}

interface FilesProps {
  readonly files: WireNodeFiles;
  readonly saved: ReadonlySet<string>;
  readonly onSaved: (name: FileName) => void;
}

function Files({ files, saved, onSaved }: FilesProps): ReactNode {
  const save = (name: FileName): void => {
    const content = files[name] ?? '';
    if (name === 'node.p12') saveBlob(name, new Blob([bytesOf(content)], { type: 'application/x-pkcs12' }));
    else saveFile(name, content, 'application/x-pem-file');
    onSaved(name);
  };
  return (
    <Section title="Files">
      <ul className="node-files">
        {NAMES.filter((name) => files[name] !== undefined).map((name) => (
          <li key={name}>
            <div>
              <code>{name}</code> <span className="soft">{ABOUT[name]}</span>
            </div>
            {saved.has(name) && (
              <Tag tone="accent" icon={<IconCheck aria-hidden />}>
                saved
              </Tag>
            )}
            <Button
              variant={saved.has(name) ? 'default' : 'filled'}
              size="xs"
              leftSection={<IconDownload size={16} aria-hidden />}
              onClick={() => save(name)}
              aria-label={`Download ${name}`}
            >
              Download
            </Button>
          </li>
        ))}
      </ul>
      {files.p12Password !== undefined && (
        <>
          <p className="section-note">The password of node.p12, shown only now:</p>
          <Exact text={files.p12Password} what="the password of node.p12" />
        </>
      )}
    </Section>
  );
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The one-time token, and what the system does with it. */
export function Invitation({ answer }: { readonly answer: AddNodeResponse }): ReactNode {
  const { invitation, files, fhirUrl } = answer;
  const [saved, setSaved] = useState<ReadonlySet<string>>(new Set());
  if (invitation === undefined) return null;
  const commands = [
    'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout node.key -out node.csr -subj "/CN=node"',
    `curl --cacert ca.crt -H "Authorization: Bearer ${invitation.token}" \\\n  --data-binary @node.csr -o node.crt ${invitation.enrolUrl}`,
    `curl --cacert ca.crt --cert node.crt --key node.key ${fhirUrl}/metadata`,
  ].join('\n');
  return (
    <>
      <Notice tone="amber" title="The token is shown only now">
        <p>
          It works once, until <Moment iso={invitation.expiresAt} />. If it is lost, make another one on the node’s
          page; the former then stops working.
        </p>
      </Notice>
      <Section title="Token">
        <Exact text={invitation.token} what="the token" />
      </Section>
      <Files files={files} saved={saved} onSaved={(name) => setSaved((before) => new Set(before).add(name))} />
      <Section title="On the system" note="Makes its key, fetches its certificate, and tries the connection.">
        <Exact text={commands} what="the commands" lines />
      </Section>
      <div className="row drawer-actions">
        <Button component={Link} to="/nodes" variant="default">
          Done
        </Button>
      </div>
    </>
  );
}
