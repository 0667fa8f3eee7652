import { Button, Checkbox } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { AddNodeResponse } from '../../../features/nodes/wire.ts';
import { saveFile } from '../../app/save-file.ts';
import { Exact, Tag } from '../../ui/bits.tsx';
import { IconCheck, IconDownload } from '../../ui/icons.ts';
import { Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import './nodes.css';

const ABOUT: Readonly<Record<string, string>> = {
  'node.key': 'its private key: secret, shown only now',
  'node.crt': 'its certificate',
  'ca.crt': 'by which it knows this server',
};

/** The files, once, and the line to test them with. */
export function NodeFiles({ answer }: { readonly answer: AddNodeResponse }): ReactNode {
  const { files, fhirUrl } = answer;
  const [saved, setSaved] = useState<ReadonlySet<string>>(new Set());
  const [certain, setCertain] = useState(false);
  const secret = files['node.key'] !== undefined;
  const safe = !secret || saved.has('node.key') || certain;
  useBlocker({
    shouldBlockFn: () => !safe && !window.confirm('The private key is not saved yet and cannot be shown again. Leave?'),
    enableBeforeUnload: () => !safe,
  });
  const names = (['node.key', 'node.crt', 'ca.crt'] as const).filter((name) => files[name] !== undefined);
  const save = (name: (typeof names)[number]): void => {
    saveFile(name, files[name] ?? '', 'application/x-pem-file');
    setSaved((before) => new Set(before).add(name));
  };
  const test = `curl --cert node.crt --key node.key --cacert ca.crt \\\n  ${fhirUrl}/metadata`;
  return (
    <>
      {secret && (
        <Notice tone="amber" title="The private key is shown only now">
          <p>Careseal keeps no copy. If it is lost, add the node again.</p>
        </Notice>
      )}
      <Section title="Files">
        <ul className="node-files">
          {names.map((name) => (
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
      </Section>
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
