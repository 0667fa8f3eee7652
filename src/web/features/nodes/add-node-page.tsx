import { Button, Radio, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import {
  type AddNodeResponse,
  addNodeResponseSchema,
  domainSystemSchema,
  nodeNameSchema,
} from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';
import { useDraft } from '../../app/drafts.ts';
import { IconArrowLeft, IconUpload } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { nodeList } from './node-queries.ts';
import { NodeFiles } from './node-files.tsx';
import './nodes.css';

const CSR_COMMAND =
  'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout node.key -out node.csr -subj "/CN=node"';

/** Connects a system: a name, its domain, and a certificate for its key. */
export function AddNodePage(): ReactNode {
  const [answer, setAnswer] = useState<AddNodeResponse>();
  const above = (
    <Link to="/nodes" className="back">
      <IconArrowLeft size={16} aria-hidden /> Nodes
    </Link>
  );
  if (answer) {
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

function AddNodeForm({ onAdded }: { readonly onAdded: (answer: AddNodeResponse) => void }): ReactNode {
  const queries = useQueryClient();
  const [name, setName, clearName] = useDraft('node.name');
  const [domain, setDomain, clearDomain] = useDraft('node.domain');
  const [way, setWay] = useState<'make' | 'csr'>('make');
  const [csr, setCsr] = useState('');
  const [tried, setTried] = useState(false);
  const nameFits = nodeNameSchema.safeParse(name).success;
  const domainFits = domainSystemSchema.safeParse(domain).success;
  const csrFits =
    way === 'make' || csr.includes('BEGIN CERTIFICATE REQUEST') || csr.includes('BEGIN NEW CERTIFICATE REQUEST');
  const add = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/nodes', addNodeResponseSchema, {
        name: name.trim(),
        domain: domain.trim(),
        ...(way === 'csr' ? { csr } : {}),
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
    if (nameFits && domainFits && csrFits) add.mutate();
  };
  return (
    <form className="node-form" onSubmit={submit} noValidate>
      <TextInput
        label="Name"
        description="What people call this system, for example “Mulago clinic”."
        value={name}
        maxLength={64}
        autoComplete="off"
        error={tried && !nameFits ? 'Letters, digits, blanks, dots and hyphens; at most 64.' : undefined}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="Domain"
        description="The system of its record numbers, as an address. Only this node may then send records of this domain."
        placeholder="urn:example:mulago"
        value={domain}
        maxLength={255}
        spellCheck={false}
        autoComplete="off"
        error={tried && !domainFits ? 'An address without blanks, for example urn:example:mulago.' : undefined}
        onChange={(event) => setDomain(event.currentTarget.value)}
      />
      <KeyChoice value={way} onChange={setWay} />
      {way === 'csr' && <CsrField value={csr} onChange={setCsr} error={tried && !csrFits} />}
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

interface KeyChoiceProps {
  readonly value: 'make' | 'csr';
  readonly onChange: (value: 'make' | 'csr') => void;
}

function KeyChoice({ value, onChange }: KeyChoiceProps): ReactNode {
  return (
    <Radio.Group
      label="Its private key"
      description="The key proves who the system is. Best, nobody but the system ever has it."
      value={value}
      onChange={(chosen) => onChange(chosen === 'csr' ? 'csr' : 'make')}
    >
      <div className="stack pick-survivor">
        <Radio
          value="make"
          label="Careseal makes the key"
          description="Quick. You download it once; Careseal keeps no copy."
        />
        <Radio
          value="csr"
          label="The system made its own key"
          description="Safest. You give its certificate request (CSR); the key never travels."
        />
      </div>
    </Radio.Group>
  );
}

interface CsrFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: boolean;
}

function CsrField({ value, onChange, error }: CsrFieldProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  const read = (file: File | undefined): void => {
    if (file && file.size <= 16_384) void file.text().then(onChange);
  };
  return (
    <div>
      <p className="csr-note" id="csr-note">
        On the system, this makes a key and a request:
      </p>
      <pre className="csr-command">{CSR_COMMAND}</pre>
      <Textarea
        className="csr-text"
        label="Certificate request (PEM)"
        placeholder="-----BEGIN CERTIFICATE REQUEST-----"
        value={value}
        maxLength={16_384}
        spellCheck={false}
        autosize
        minRows={5}
        maxRows={14}
        error={error ? 'Paste or choose a PEM file that begins with -----BEGIN CERTIFICATE REQUEST-----.' : undefined}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Button
        mt={8}
        variant="default"
        size="xs"
        leftSection={<IconUpload size={16} aria-hidden />}
        onClick={() => input.current?.click()}
      >
        Choose a file
      </Button>
      <input
        ref={input}
        type="file"
        accept=".csr,.pem,.txt"
        className="visually-hidden"
        tabIndex={-1}
        aria-label="Certificate request file"
        onChange={(event) => read(event.currentTarget.files?.[0])}
      />
    </div>
  );
}
