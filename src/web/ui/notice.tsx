import { Button } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { asFailure } from '../app/failure.ts';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle, IconRefresh } from './icons.ts';
import './notice.css';

export interface FailureNoticeProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
  /** Replaces "what to do" where the page knows better. */
  readonly todo?: string;
  readonly failed?: string;
  /** Takes the focus, for an answer to a button somebody just pressed. */
  readonly focus?: boolean;
}

/** What failed, what is unharmed, what to do. */
export function FailureNotice({ error, onRetry, todo, failed, focus = false }: FailureNoticeProps): ReactNode {
  const failure = asFailure(error);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (focus) ref.current?.focus();
  }, [focus]);
  return (
    <div className="notice" data-tone="red" role="alert" ref={ref} tabIndex={-1}>
      <IconAlertTriangle size={20} aria-hidden />
      <div className="notice-words">
        <p className="notice-title">{failed ?? failure.text.failed}</p>
        {failure.issues.length > 0 && (
          <ul>
            {failure.issues.map((issue) => (
              <li key={issue}>{issue}</li>
            ))}
          </ul>
        )}
        <p>{failure.text.unharmed}</p>
        <p>{todo ?? failure.text.todo}</p>
        {failure.requestId !== undefined && failure.status !== 0 && (
          <p className="notice-small">
            Request <code>{failure.requestId}</code>
          </p>
        )}
        {onRetry !== undefined && (
          <Button
            variant="default"
            size="xs"
            mt={8}
            leftSection={<IconRefresh size={16} aria-hidden />}
            onClick={onRetry}
          >
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

export interface NoticeProps {
  readonly tone: 'info' | 'amber' | 'red' | 'done';
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  /** Announced when it appears. */
  readonly live?: boolean;
}

const NOTICE_ICONS = {
  info: IconInfoCircle,
  amber: IconAlertTriangle,
  red: IconAlertTriangle,
  done: IconCircleCheck,
} as const;

export function Notice({ tone, title, children, action, live = false }: NoticeProps): ReactNode {
  const Icon = NOTICE_ICONS[tone];
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Whoever scrolled down to act would not see what came of it.
    if (live) ref.current?.scrollIntoView({ block: 'nearest' });
  }, [live]);
  return (
    <div className="notice" data-tone={tone} role={live ? 'status' : undefined} ref={ref}>
      <Icon size={20} aria-hidden />
      <div className="notice-words">
        {title !== undefined && <p className="notice-title">{title}</p>}
        {children}
      </div>
      {action}
    </div>
  );
}

export interface EmptyProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** An empty list that teaches the first step. */
export function Empty({ icon, title, children, action }: EmptyProps): ReactNode {
  return (
    <div className="empty">
      <div className="empty-icon" aria-hidden>
        {icon}
      </div>
      <h2>{title}</h2>
      <div className="empty-words">{children}</div>
      {action !== undefined && <div className="empty-action">{action}</div>}
    </div>
  );
}
