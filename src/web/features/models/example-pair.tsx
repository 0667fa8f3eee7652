import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useMay } from '../../app/session.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { ComparisonTable } from '../registry/comparison.tsx';
import { exampleQuery } from './model-queries.ts';

/** The two records of an example, asked for one by one: looking at them is in the log. */
export function ExamplePair({ path }: { readonly path: string }): ReactNode {
  const may = useMay();
  const [wanted, setWanted] = useState(false);
  const example = useQuery({ ...exampleQuery(path), enabled: wanted });
  if (!may('review.decide')) return <p className="soft small">Stewards see the two records.</p>;
  if (!wanted) {
    return (
      <Button variant="default" size="xs" onClick={() => setWanted(true)}>
        Show the two records
      </Button>
    );
  }
  return (
    <>
      {example.isError && <FailureNotice error={example.error} />}
      {example.data && <ComparisonTable {...example.data.pair} />}
    </>
  );
}
