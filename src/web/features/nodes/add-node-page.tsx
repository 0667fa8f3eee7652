import { Button, Radio, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import {
  type AddNodeResponse,
  addNodeResponseSchema,
  domainSystemSchema,
  nodeNameSchema,
} from '../../../features/nodes/wire.ts';
import type { NodeScope } from '../../../kernel/access.ts';
import { api } from '../../app/api.ts';
import { useDraft } from '../../app/drafts.ts';
import { IconArrowLeft } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { CertificateField } from './certificate-field.tsx';
import { CsrField, isCsr } from './csr-field.tsx';
import { Invitation, NodeFiles } from './node-files.tsx';
import { nodeList } from './node-queries.ts';
import { ScopeField, USUAL_SCOPES, useOfferedScopes } from './scope-field.tsx';
import './nodes.css';

/** Connects a system: a name, its domain, what it may do, and a certificate for its key. */
export function AddNodePage(): ReactNode {
  const [answer, setAnswer] = useState<AddNodeResponse>();
  const above = (
    <Link to="/nodes" className="back">
      <IconArrowLeft size={16} aria-hidden /> Nodes
    </Link>
  );
  if (answer) return <Added answer={answer} above={above} />;
  return (
    <Page
      title="Add a node"
      sentence="A clinic, hospital or laboratory system. It gets a certificate, and may then register and find clients."
      above={above}
      width="form"
    >
      <AddNodeForm onAdded={setAnswer} />
    </Page>
  );
}

function Added({ answer, above }: { readonly answer: AddNodeResponse; readonly above: ReactNode }): ReactNode {
  const { invitation, files, node } = answer;
  if (invitation)
    return (
      <Page
        key="invited"
        title="The node is invited"
        sentence="Give this to whoever runs the system, over a way you trust. The token works once."
        above={above}
        width="form"
      >
        <Invitation answer={answer} />
      </Page>
    );
  if (files['node.crt'] === undefined)
    return (
      <Page
        key="added"
        title="The node is added"
        sentence="It comes in with the certificate it has."
        above={above}
        width="form"
      >
        <Notice tone="done" title="Nothing has to be handed over">
          <p>
            {node.certificates.length > 0
              ? 'Its certificate is trusted from now on.'
              : 'Now say by which name of which trusted authority it is known, on the trust page.'}
          </p>
        </Notice>
        <div className="row drawer-actions">
          <Button component={Link} to={`/nodes/${node.id}`}>
            Open the node
          </Button>
          <Button component={Link} to="/nodes/trust" variant="default">
            Trust
          </Button>
        </div>
      </Page>
    );
  return (
    <Page
      key="files"
      title="The node is added"
      sentence="Give these files to the system, over a way you trust. Then test the connection."
      above={above}
      width="form"
    >
      <NodeFiles answer={answer} />
    </Page>
  );
}

type Way = 'make' | 'csr' | 'invite' | 'trust' | 'later';

function AddNodeForm({ onAdded }: { readonly onAdded: (answer: AddNodeResponse) => void }): ReactNode {
  const queries = useQueryClient();
  const [name, setName, clearName] = useDraft('node.name');
  const [domain, setDomain, clearDomain] = useDraft('node.domain');
  const [way, setWay] = useState<Way>('make');
  const offered = useOfferedScopes();
  const [scopes, setScopes] = useState<NodeScope[]>([...(offered ?? USUAL_SCOPES)]);
  const [text, setText] = useState('');
  const [acceptLong, setAcceptLong] = useState(false);
  const [tried, setTried] = useState(false);
  const nameFits = nodeNameSchema.safeParse(name).success;
  const domainFits = domainSystemSchema.safeParse(domain).success;
  const textFits = way === 'csr' ? isCsr(text) : way === 'trust' ? text.includes('BEGIN CERTIFICATE') : true;
  const add = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/nodes', addNodeResponseSchema, {
        name: name.trim(),
        domain: domain.trim(),
        scopes,
        way,
        ...(way === 'csr' ? { csr: text } : {}),
        ...(way === 'trust' ? { certificate: text, acceptLong } : {}),
      }),
    onSuccess: async (answer) => {
      clearName();
      clearDomain();
      onAdded(answer);
      await queries.invalidateQueries({ queryKey: nodeList.queryKey });
      await queries.invalidateQueries({ queryKey: ['home'] });
      await queries.invalidateQueries({ queryKey: ['domains'] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (nameFits && domainFits && textFits) add.mutate();
  };
  return (
    <form className="node-form" onSubmit={submit} noValidate>
      <NameFields
        {...{ name, domain, setName, setDomain }}
        nameError={tried && !nameFits}
        domainError={tried && !domainFits}
      />
      <ScopeField value={scopes} onChange={setScopes} offered={offered} />
      <KeyChoice value={way} onChange={setWay} />
      {way === 'csr' && <CsrField value={text} onChange={setText} error={tried && !textFits} />}
      {way === 'trust' && (
        <CertificateField
          value={text}
          onChange={setText}
          acceptLong={acceptLong}
          onAcceptLong={setAcceptLong}
          error={tried && !textFits ? 'Paste a PEM file that begins with -----BEGIN CERTIFICATE-----.' : undefined}
        />
      )}
      {add.isError && <FailureNotice error={add.error} focus />}
      <div className="row">
        <Button type="submit" loading={add.isPending}>
          Add the node
        </Button>
        <Button component={Link} to="/nodes" variant="default">
          Cancel
        </Button>
      </div>
    </form>
  );
}

interface NameFieldsProps {
  readonly name: string;
  readonly domain: string;
  readonly setName: (name: string) => void;
  readonly setDomain: (domain: string) => void;
  readonly nameError: boolean;
  readonly domainError: boolean;
}

function NameFields({ name, domain, setName, setDomain, nameError, domainError }: NameFieldsProps): ReactNode {
  return (
    <>
      <TextInput
        label="Name"
        description="What people call this system, for example “Mulago clinic”."
        value={name}
        maxLength={64}
        autoComplete="off"
        error={nameError ? 'Letters, digits, blanks, dots and hyphens; at most 64.' : undefined}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="Domain"
        description="The system of its record numbers, as an address. Only this node may then send records of this domain. It can get more of them later."
        placeholder="urn:example:mulago"
        value={domain}
        maxLength={255}
        spellCheck={false}
        autoComplete="off"
        error={domainError ? 'An address without blanks, for example urn:example:mulago.' : undefined}
        onChange={(event) => setDomain(event.currentTarget.value)}
      />
    </>
  );
}

const WAYS: readonly (readonly [Way, string, string])[] = [
  ['make', 'Careseal makes the key', 'Quick. You download it once; Careseal keeps no copy.'],
  ['invite', 'The system fetches its certificate itself', 'You give it a one-time token; the key never travels.'],
  ['csr', 'The system made its own key', 'You give its certificate request (CSR); the key never travels.'],
  ['trust', 'It has a certificate already', 'Self-signed or of any authority; you trust exactly that one.'],
  ['later', 'A trusted authority will speak for it', 'You say by which name, on the trust page.'],
];

interface KeyChoiceProps {
  readonly value: Way;
  readonly onChange: (value: Way) => void;
}

function KeyChoice({ value, onChange }: KeyChoiceProps): ReactNode {
  return (
    <Radio.Group
      label="Its private key"
      description="The key proves who the system is. Best, nobody but the system ever has it."
      value={value}
      onChange={(chosen) => onChange(WAYS.find(([way]) => way === chosen)?.[0] ?? 'make')}
    >
      <div className="stack pick-survivor">
        {WAYS.map(([way, label, about]) => (
          <Radio key={way} value={way} label={label} description={about} />
        ))}
      </div>
    </Radio.Group>
  );
}
