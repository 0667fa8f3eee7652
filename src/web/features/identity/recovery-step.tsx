import { Button, Checkbox } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { sessionQuery } from '../../app/session.tsx';
import { Copy } from '../../ui/bits.tsx';
import { IconPrinter } from '../../ui/icons.ts';

/** Ten codes, shown once. One goes on only after saying that they are stored. */
export function RecoveryStep({ codes }: { readonly codes: readonly string[] }): ReactNode {
  const [stored, setStored] = useState(false);
  const [going, setGoing] = useState(false);
  const queries = useQueryClient();
  const router = useRouter();
  const goOn = async (): Promise<void> => {
    setGoing(true);
    try {
      await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
      await router.navigate({ to: '/', replace: true });
    } finally {
      setGoing(false);
    }
  };
  return (
    <div className="gate-body">
      <ol className="recovery-list" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className="row no-print">
        <Copy text={codes.join('\n')} what="all ten codes" wide />
        <Button variant="default" leftSection={<IconPrinter size={17} aria-hidden />} onClick={() => window.print()}>
          Print
        </Button>
      </div>
      <p className="soft no-print">
        Put them where your telephone is not: a password manager, or on paper in a locked drawer.
      </p>
      <Checkbox
        className="no-print"
        label="I have stored them"
        checked={stored}
        onChange={(event) => setStored(event.currentTarget.checked)}
      />
      <Button className="no-print" size="md" disabled={!stored} loading={going} onClick={() => void goOn()}>
        Go to Careseal
      </Button>
    </div>
  );
}
