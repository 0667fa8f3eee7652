import type { KeyboardEvent, ReactNode } from 'react';
import { BOX, type Place, between, graphSize, placesOf, tiesToDraw } from './graph-layout.ts';
import { useIsPhone } from './row-window.ts';
import { scoreText } from './text.tsx';

export interface GraphSource {
  readonly id: string;
  readonly label: string;
  readonly note: string;
}

export interface GraphLink {
  readonly a: string;
  readonly b: string;
  readonly score: number;
  readonly decision: 'match' | 'review' | 'none';
}

export interface IdentityGraphProps {
  readonly sources: readonly GraphSource[];
  readonly links: readonly GraphLink[];
  readonly never: readonly { readonly a: string; readonly b: string }[];
  readonly selected: string | undefined;
  readonly onSelect: (key: string) => void;
}

export const linkKey = (link: { readonly a: string; readonly b: string }): string => `${link.a} ${link.b}`;

/** The source records of one person and how strongly each pair is tied. A tie is a button: it opens its waterfall. */
export function IdentityGraph({ sources, links, never, selected, onSelect }: IdentityGraphProps): ReactNode {
  const tall = useIsPhone();
  const size = graphSize(sources.length, tall);
  const places = new Map<string, Place>();
  placesOf(sources.length, tall).forEach((place, index) => {
    const source = sources[index];
    if (source) places.set(source.id, place);
  });
  const labelOf = (id: string): string => sources.find((source) => source.id === id)?.label ?? 'record';
  return (
    <svg
      className="graph"
      viewBox={`0 0 ${size.width} ${size.height}`}
      role="group"
      aria-label={`${sources.length} source records and their links`}
      style={{ maxWidth: size.width * 1.25 }}
    >
      {never.map((pair) => (
        <NeverLine key={linkKey(pair)} from={places.get(pair.a)} to={places.get(pair.b)} />
      ))}
      {tiesToDraw(links, sources.length).map((link, index) => (
        <Edge
          key={linkKey(link)}
          link={link}
          from={places.get(link.a)}
          to={places.get(link.b)}
          share={sources.length > 3 ? 0.5 + ((index % 3) - 1) * 0.09 : 0.5}
          label={`${labelOf(link.a)} and ${labelOf(link.b)}: ${scoreText(link.score)}`}
          pressed={selected === linkKey(link)}
          onSelect={onSelect}
        />
      ))}
      {sources.map((source) => (
        <Box key={source.id} source={source} place={places.get(source.id)} />
      ))}
    </svg>
  );
}

function NeverLine({ from, to }: { readonly from: Place | undefined; readonly to: Place | undefined }): ReactNode {
  if (!from || !to) return null;
  return (
    <g className="graph-never">
      <title>Never to be linked</title>
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
    </g>
  );
}

interface EdgeProps {
  readonly link: GraphLink;
  readonly from: Place | undefined;
  readonly to: Place | undefined;
  readonly share: number;
  readonly label: string;
  readonly pressed: boolean;
  readonly onSelect: (key: string) => void;
}

function Edge({ link, from, to, share, label, pressed, onSelect }: EdgeProps): ReactNode {
  if (!from || !to) return null;
  const middle = between(from, to, share);
  const select = (): void => onSelect(linkKey(link));
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    select();
  };
  return (
    <g
      className="graph-edge"
      role="button"
      tabIndex={0}
      aria-pressed={pressed}
      aria-label={label}
      data-decision={link.decision}
      onClick={select}
      onKeyDown={onKeyDown}
    >
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} className="graph-hit" />
      <line
        x1={from.x}
        y1={from.y}
        x2={to.x}
        y2={to.y}
        strokeWidth={1.5 + link.score * 3.5}
        strokeDasharray={link.decision === 'match' ? undefined : '7 5'}
      />
      <rect x={middle.x - 31} y={middle.y - 12} width="62" height="24" rx="12" />
      <text x={middle.x} y={middle.y + 4} textAnchor="middle">
        {scoreText(link.score)}
      </text>
    </g>
  );
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function Box({ source, place }: { readonly source: GraphSource; readonly place: Place | undefined }): ReactNode {
  if (!place) return null;
  return (
    <g className="graph-source">
      <title>{`${source.label}, ${source.note}`}</title>
      <rect
        x={place.x - BOX.width / 2}
        y={place.y - BOX.height / 2}
        width={BOX.width}
        height={BOX.height}
        rx="6"
        strokeWidth="1"
      />
      <text x={place.x} y={place.y - 4} textAnchor="middle" fontWeight="600">
        {cut(source.label, 22)}
      </text>
      <text x={place.x} y={place.y + 15} textAnchor="middle" className="graph-small">
        {cut(source.note, 24)}
      </text>
    </g>
  );
}
