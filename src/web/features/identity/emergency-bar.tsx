import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { api } from '../../app/api.ts';
import './rights.css';

/** Above every page while glass is broken: nobody forgets it, and anybody can end it. */
export function EmergencyBar({ endsAt }: { readonly endsAt: string }): ReactNode {
  const queries = useQueryClient();
  const [nowMs, setNowMs] = useState(Date.now);
  const leftMs = Date.parse(endsAt) - nowMs;
  const over = leftMs <= 0;
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (over) void queries.invalidateQueries();
  }, [over, queries]);
  const end = useMutation({
    mutationFn: () => api.act('DELETE', '/api/emergency'),
    onSettled: () => queries.invalidateQueries(),
  });
  const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
  return (
    <div className="emergency-bar" role="status">
      <p>
        <strong>Glass is broken.</strong> You reach every client for {minutes} more{' '}
        {minutes === 1 ? 'minute' : 'minutes'}; everything you open is recorded and will be reviewed.
      </p>
      <Button size="xs" variant="white" color="dark" loading={end.isPending} onClick={() => end.mutate()}>
        End it now
      </Button>
    </div>
  );
}
