import { Loader, Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react';
import { clientSearch } from '../features/registry/client-queries.ts';
import { IconPlus, IconSearch, IconUser } from '../ui/icons.ts';
import { CalendarDate, Own } from '../ui/text.tsx';
import { entriesFor } from './navigation.ts';
import { useMay, useSession } from './session.tsx';
import { GENDER_WORDS } from './words.ts';
import './search-everything.css';

interface Hit {
  readonly key: string;
  readonly group: string;
  readonly icon: ReactNode;
  readonly name: ReactNode;
  readonly note: ReactNode;
  go(): void;
}

/** One field for clients, pages and actions. Opens with `/` or Ctrl-K. */
export function SearchEverything({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const listId = useId();
  const clients = useClientHits(text, onClose);
  const places = usePlaceHits(text, onClose);
  const hits = [...clients.hits, ...places];
  const current = Math.min(active, hits.length - 1);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((current + step + hits.length) % Math.max(1, hits.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      hits[current]?.go();
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      centered={false}
      size="lg"
      padding={0}
      yOffset="9vh"
      attributes={{ content: { 'aria-label': 'Search everything' } }}
    >
      <TextInput
        data-autofocus
        className="everything-field"
        size="lg"
        variant="unstyled"
        placeholder="Name, birth date, identifier, telephone, or a page"
        aria-label="Search everything"
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls={listId}
        aria-activedescendant={hits[current] ? `${listId}-${current}` : undefined}
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        leftSection={<IconSearch size={20} aria-hidden />}
        rightSection={clients.busy ? <Loader size={18} aria-label="Searching" /> : null}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <Hits hits={hits} current={current} listId={listId} onPoint={setActive} />
      {hits.length === 0 && (
        <p className="everything-none" role="status">
          {clients.busy
            ? 'Searching…'
            : 'Nothing found. Fewer letters find more: “oke 1984” finds Okello born in 1984.'}
        </p>
      )}
      {clients.failed && <p className="everything-none">Clients could not be searched just now; pages still work.</p>}
    </Modal>
  );
}

interface HitsProps {
  readonly hits: readonly Hit[];
  readonly current: number;
  readonly listId: string;
  readonly onPoint: (index: number) => void;
}

/** The keyboard stays in the field (aria-activedescendant); a pointer may choose as well. */
function Hits({ hits, current, listId, onPoint }: HitsProps): ReactNode {
  return (
    <div className="everything-hits" role="listbox" id={listId} aria-label="Results">
      {hits.map((hit, index) => (
        <button
          type="button"
          tabIndex={-1}
          key={hit.key}
          id={`${listId}-${index}`}
          role="option"
          aria-selected={index === current}
          className="everything-hit"
          data-first={index === 0 || hits[index - 1]?.group !== hit.group}
          data-group={hit.group}
          onClick={() => hit.go()}
          onMouseMove={() => onPoint(index)}
        >
          {hit.icon}
          <span className="everything-name">{hit.name}</span>
          <span className="everything-note">{hit.note}</span>
        </button>
      ))}
    </div>
  );
}

function useClientHits(
  text: string,
  onClose: () => void,
): { readonly hits: readonly Hit[]; readonly busy: boolean; readonly failed: boolean } {
  const navigate = useNavigate();
  const may = useMay();
  const words = text.trim();
  const [settled] = useDebouncedValue(words, 80);
  const wanted = may('client.read') && settled.length >= 2;
  const query = useQuery({ ...clientSearch(settled, 6), enabled: wanted, placeholderData: keepPreviousData });
  const hits = !wanted || words.length < 2 ? [] : (query.data?.clients ?? []);
  return {
    busy: wanted && (query.isFetching || settled !== words),
    failed: query.isError,
    hits: hits.map((client) => ({
      key: client.id,
      group: 'Clients',
      icon: <IconUser size={18} aria-hidden />,
      name: <Own>{client.name}</Own>,
      note: (
        <>
          {client.birthDate !== undefined && <CalendarDate iso={client.birthDate} />}
          {client.gender !== undefined && ` · ${GENDER_WORDS[client.gender] ?? client.gender}`}
        </>
      ),
      go: () => {
        onClose();
        void navigate({ to: '/clients/$id', params: { id: client.id } });
      },
    })),
  };
}

function usePlaceHits(text: string, onClose: () => void): readonly Hit[] {
  const navigate = useNavigate();
  const may = useMay();
  const { permissions } = useSession();
  const words = text.trim().toLowerCase();
  const fits = (name: string, about: string): boolean =>
    words === '' || `${name} ${about}`.toLowerCase().includes(words);
  const actions = [
    { to: '/load/new', name: 'Load a file', about: 'CSV or NDJSON of clients', may: may('client.load') },
    { to: '/nodes/add', name: 'Add a node', about: 'Connect a clinic or a laboratory', may: may('node.manage') },
    { to: '/people', name: 'Invite a colleague', about: 'People', may: may('user.manage'), invite: true },
  ] as const;
  const pages = entriesFor(permissions).filter((entry) => fits(entry.name, entry.about));
  return [
    ...pages.map((entry) => ({
      key: entry.to,
      group: 'Pages',
      icon: <entry.icon size={18} aria-hidden />,
      name: entry.name,
      note: entry.about,
      go: () => {
        onClose();
        void navigate({ to: entry.to });
      },
    })),
    ...actions
      .filter((action) => action.may && fits(action.name, action.about))
      .map((action) => ({
        key: `do ${action.name}`,
        group: 'Do',
        icon: <IconPlus size={18} aria-hidden />,
        name: action.name,
        note: action.about,
        go: () => {
          onClose();
          void ('invite' in action
            ? navigate({ to: '/people', search: { invite: true } })
            : navigate({ to: action.to }));
        },
      })),
  ];
}
