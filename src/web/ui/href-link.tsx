import { useRouter } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';
import { ownAddress } from '../app/own-address.ts';

export interface HrefLinkProps {
  /** An address of ours as the server wrote it. Anything that is not a path of ours is not followed. */
  readonly href: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A link whose address comes from the server and not from the route table. */
export function HrefLink({ href, className, children }: HrefLinkProps): ReactNode {
  const router = useRouter();
  const own = ownAddress(href);
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void router.navigate({ href: own });
  };
  return (
    <a href={own} className={className} onClick={follow}>
      {children}
    </a>
  );
}
