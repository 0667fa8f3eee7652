import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSession } from '../../app/session.tsx';
import { hasVisited } from '../../app/visits.ts';
import { HrefLink } from '../../ui/href-link.tsx';
import { IconCheck } from '../../ui/icons.ts';
import type { HomeReply } from './home-queries.ts';

interface Step {
  readonly name: string;
  readonly about: string;
  readonly href: string;
  readonly done: boolean;
}

const KEY = 'careseal-first-hour';

function stepsOf(figures: HomeReply['figures'], userId: string): readonly Step[] {
  const clients = figures.clients ?? 0;
  return [
    {
      name: 'Set up your account',
      about: 'Password, second factor and recovery codes.',
      href: '/profile',
      done: true,
    },
    {
      name: 'Load your clients',
      about: 'A spreadsheet saved as CSV is enough. A dry run first shows what would happen.',
      href: '/load/new',
      done: clients > 0,
    },
    {
      name: 'Look at the duplicates',
      about: 'Careseal links what is certain and asks you about the rest.',
      href: '/reviews',
      done: clients > 0 && (figures.reviewsOpen === 0 || hasVisited(userId, '/reviews')),
    },
    {
      name: 'Invite a colleague',
      about: 'A second administrator gets you back in when your telephone is lost.',
      href: '/people?invite=true',
      done: (figures.users ?? 1) > 1,
    },
    {
      name: 'Connect a clinic’s system',
      about: 'It gets a certificate and speaks FHIR.',
      href: '/nodes/add',
      done: (figures.nodes ?? 0) > 0,
    },
    {
      name: 'See it in the log',
      about: 'Everything you did until now is there, and can be proven.',
      href: '/audit',
      done: hasVisited(userId, '/audit'),
    },
  ];
}

/** The first hour, step by step, until it is done or put away. */
export function FirstHour({ figures }: { readonly figures: HomeReply['figures'] }): ReactNode {
  const [away, setAway] = useState(() => localStorage.getItem(KEY) === 'away');
  const { user } = useSession();
  const steps = stepsOf(figures, user.id);
  const done = steps.filter((step) => step.done).length;
  if (away || done === steps.length) return null;
  const next = steps.find((step) => !step.done);
  return (
    <section className="first-hour" aria-labelledby="first-hour">
      <div className="first-hour-head">
        <h2 id="first-hour">Your first hour</h2>
        <span className="soft numbers">
          {done} of {steps.length} done
        </span>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          onClick={() => {
            localStorage.setItem(KEY, 'away');
            setAway(true);
          }}
        >
          Put away
        </Button>
      </div>
      <ol>
        {steps.map((step) => (
          <li key={step.name} data-done={step.done} data-next={step === next}>
            <span className="first-hour-mark" aria-hidden>
              {step.done ? <IconCheck size={15} stroke={2.5} /> : null}
            </span>
            <div>
              <HrefLink href={step.href}>{step.name}</HrefLink>
              {step.done && <span className="visually-hidden"> (done)</span>}
              {!step.done && <p>{step.about}</p>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
