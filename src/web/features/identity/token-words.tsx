import type { ReactNode } from 'react';
import type { TokenEntry } from '../../../features/identity/wire-organisations.ts';
import { Tag } from '../../ui/bits.tsx';
import { Ago, Moment, Own } from '../../ui/text.tsx';
import { permissionWords } from './permission-words.ts';

/** What a token for scripts may, until when, and when it was used. */
export function TokenWords({ token }: { readonly token: TokenEntry }): ReactNode {
  return (
    <div>
      <strong>
        <Own>{token.label}</Own>
      </strong>{' '}
      {token.state !== 'active' && <Tag tone="quiet">{token.state === 'revoked' ? 'ended' : 'expired'}</Tag>}
      <div className="soft small">
        {token.permissions.map(permissionWords).join(', ')} · <Own>{token.organisation.name}</Own>
      </div>
      <div className="soft small">
        until <Moment iso={token.expiresAt} />,{' '}
        {token.lastUsedAt === undefined ? (
          'not used yet'
        ) : (
          <>
            last used <Ago iso={token.lastUsedAt} />
          </>
        )}
      </div>
    </div>
  );
}
