import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { IconCheck, IconCopy } from './icons.ts';
import { Scroller } from './scroller.tsx';
import './bits.css';

/** A key of the keyboard. */
export function Key({ children }: { readonly children: string }): ReactNode {
  return <kbd className="key">{children}</kbd>;
}

export type Tone = 'plain' | 'accent' | 'amber' | 'red' | 'quiet';

/** A state: icon and word, so never by colour alone. */
export function Tag({
  tone,
  icon,
  children,
}: {
  readonly tone: Tone;
  readonly icon?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span className="tag" data-tone={tone}>
      {icon}
      {children}
    </span>
  );
}

function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return [
    copied,
    (text) => {
      void navigator.clipboard.writeText(text).then(() => setCopied(true));
    },
  ];
}

export interface CopyProps {
  readonly text: string;
  /** What is copied: "the key", "all ten codes". */
  readonly what: string;
  readonly wide?: boolean;
}

export function Copy({ text, what, wide = false }: CopyProps): ReactNode {
  const [copied, copy] = useCopied();
  const icon = copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />;
  const said = (
    <span className="visually-hidden" role="status">
      {copied ? `Copied ${what}` : ''}
    </span>
  );
  if (wide)
    return (
      <>
        <Button variant="default" leftSection={icon} onClick={() => copy(text)}>
          {copied ? 'Copied' : `Copy ${what}`}
        </Button>
        {said}
      </>
    );
  return (
    <>
      <Tooltip label={copied ? 'Copied' : `Copy ${what}`}>
        <ActionIcon variant="subtle" color="gray" aria-label={`Copy ${what}`} onClick={() => copy(text)}>
          {icon}
        </ActionIcon>
      </Tooltip>
      {said}
    </>
  );
}

/** Something to take along exactly: a command, a link, a PEM file. */
export function Exact({ text, what, lines = false }: CopyProps & { readonly lines?: boolean }): ReactNode {
  return (
    <div className="exact" data-lines={lines}>
      <Scroller label={what} className="exact-text">
        <pre>{text}</pre>
      </Scroller>
      <Copy text={text} what={what} />
    </div>
  );
}

export interface FactsProps {
  readonly facts: readonly (readonly [string, ReactNode] | undefined)[];
}

/** Label and value, one below the other, aligned. */
export function Facts({ facts }: FactsProps): ReactNode {
  return (
    <dl className="facts">
      {facts
        .filter((fact) => fact !== undefined)
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
