import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Notice } from '../ui/notice.tsx';

/** What administrators are told on every page as long as it holds: it cannot be put away. */
export function StandingWarnings({ warnings }: { readonly warnings: readonly string[] }): ReactNode {
  if (warnings.length === 0) return null;
  return (
    <div className="standing">
      {warnings.map((warning) => (
        <Notice key={warning} tone="red">
          <p>
            {warning} <Link to="/policy">To the policy</Link>
          </p>
        </Notice>
      ))}
    </div>
  );
}
