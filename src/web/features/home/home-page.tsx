import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useSession } from '../../app/session.tsx';
import { HrefLink } from '../../ui/href-link.tsx';
import { IconAlertTriangle, IconChevronRight, IconCircleCheck, IconInfoCircle } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { useNow } from '../../ui/now.ts';
import { agoText } from '../../ui/text.tsx';
import { FirstHour } from './first-hour.tsx';
import { type HomeReply, homeQuery } from './home-queries.ts';
import './home.css';

/** What needs a person, in order; below it how large the registry is. */
export function HomePage(): ReactNode {
  const { user } = useSession();
  const home = useQuery(homeQuery);
  return (
    <Page title="Home" sentence="What needs somebody, most urgent first." width="reading">
      {home.isError && <FailureNotice error={home.error} onRetry={() => void home.refetch()} />}
      {home.isPending && <HomeWait />}
      {home.data && (
        <>
          <Attention items={home.data.attention} />
          {user.roles.includes('administrator') && <FirstHour figures={home.data.figures} />}
          <Figures figures={home.data.figures} />
        </>
      )}
    </Page>
  );
}

function HomeWait(): ReactNode {
  return (
    <div role="status" aria-label="Loading">
      {[0, 1, 2].map((line) => (
        <Skeleton key={line} height={44} radius="md" mb={8} />
      ))}
    </div>
  );
}

const ICONS = { red: IconAlertTriangle, amber: IconAlertTriangle, info: IconInfoCircle } as const;
const LEVEL_WORDS = { red: 'Urgent', amber: 'Needs somebody', info: 'For your information' } as const;

function Attention({ items }: { readonly items: HomeReply['attention'] }): ReactNode {
  if (items.length === 0) {
    return (
      <div className="calm" role="status">
        <IconCircleCheck size={24} stroke={1.7} aria-hidden />
        <div>
          <strong>Nothing needs you now</strong>
          <p>Reviews, failed loads, expiring certificates and a log that does not verify would stand here.</p>
        </div>
      </div>
    );
  }
  const order = { red: 0, amber: 1, info: 2 } as const;
  return (
    <ul className="attention" aria-label="What needs attention">
      {items
        .toSorted((a, b) => order[a.level] - order[b.level])
        .map((item) => (
          <AttentionLine key={`${item.kind} ${item.text}`} item={item} />
        ))}
    </ul>
  );
}

function AttentionLine({ item }: { readonly item: HomeReply['attention'][number] }): ReactNode {
  const Icon = ICONS[item.level];
  const content = (
    <>
      <Icon size={20} aria-hidden />
      <span className="visually-hidden">{LEVEL_WORDS[item.level]}: </span>
      <span className="attention-text">{item.text}</span>
      {item.href !== undefined && <IconChevronRight size={18} className="attention-go" aria-hidden />}
    </>
  );
  return (
    <li data-level={item.level}>
      {item.href === undefined ? (
        <div className="attention-line">{content}</div>
      ) : (
        <HrefLink href={item.href} className="attention-line">
          {content}
        </HrefLink>
      )}
    </li>
  );
}

function Figures({ figures }: { readonly figures: HomeReply['figures'] }): ReactNode {
  const nowMs = useNow();
  const all: readonly (readonly [string, number | undefined, string, string])[] = [
    ['Clients', figures.clients, '/clients', 'people, each once'],
    ['Source records', figures.sources, '/clients', 'as the nodes and files sent them'],
    [
      'Open reviews',
      figures.reviewsOpen,
      '/reviews',
      figures.oldestReviewAt && figures.reviewsOpen
        ? `oldest ${agoText(figures.oldestReviewAt, nowMs)}`
        : 'pairs that wait for a decision',
    ],
    ['Nodes', figures.nodes, '/nodes', 'systems connected by certificate'],
    ['People', figures.users, '/people', 'accounts'],
  ];
  const shown = all.filter(([, value]) => value !== undefined);
  if (shown.length === 0) return null;
  return (
    <Section title="The registry">
      <ul className="figures">
        {shown.map(([name, value, href, note]) => (
          <li key={name}>
            <HrefLink href={href} className="figure">
              <span className="figure-name">{name}</span>
              <strong>{(value ?? 0).toLocaleString()}</strong>
              <span className="figure-note">{note}</span>
            </HrefLink>
          </li>
        ))}
      </ul>
    </Section>
  );
}
