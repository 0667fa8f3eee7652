import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { answerStepUp } from './api.ts';

const StepUpDialog = lazy(async () => ({
  default: (await import('../features/identity/step-up-dialog.tsx')).StepUpDialog,
}));

/** Stands ready to ask for a fresh proof whenever the server wants one; every request that waits for it goes on afterwards. */
export function StepUpGuard(): ReactNode {
  const [waiting, setWaiting] = useState<readonly ((proved: boolean) => void)[]>([]);
  useEffect(() => answerStepUp(() => new Promise((resolve) => setWaiting((others) => [...others, resolve]))), []);
  if (waiting.length === 0) return null;
  return (
    <Suspense fallback={null}>
      <StepUpDialog
        onDone={(proved) => {
          setWaiting([]);
          for (const resolve of waiting) resolve(proved);
        }}
      />
    </Suspense>
  );
}
