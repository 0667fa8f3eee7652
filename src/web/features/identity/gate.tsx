import { type ReactNode, useEffect, useRef } from 'react';
import { Mark } from '../../ui/mark.tsx';
import './gate.css';

export interface GateProps {
  readonly title: string;
  readonly sentence?: ReactNode;
  /** "Step 2 of 3" */
  readonly step?: { readonly now: number; readonly of: number; readonly names: readonly string[] };
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** The frame of everything before one is signed in. */
export function Gate({ title, sentence, step, wide = false, children }: GateProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Careseal`;
    const focused = document.activeElement;
    if (!(focused instanceof HTMLInputElement)) heading.current?.focus();
  }, [title]);
  return (
    <div className="gate">
      <header className="gate-top">
        <Mark size={28} />
        <span>Careseal</span>
      </header>
      <main className="gate-card" data-wide={wide}>
        {step !== undefined && (
          <ol className="gate-steps" aria-label={`Step ${step.now} of ${step.of}`}>
            {step.names.map((name, index) => (
              <li
                key={name}
                aria-current={index + 1 === step.now ? 'step' : undefined}
                data-done={index + 1 < step.now}
              >
                <span aria-hidden>{index + 1 < step.now ? '✓' : index + 1}</span>
                {name}
              </li>
            ))}
          </ol>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {sentence !== undefined && <p className="gate-sentence">{sentence}</p>}
        {children}
      </main>
      <footer className="gate-foot">Everything stays on this server. It asks nobody outside for anything.</footer>
    </div>
  );
}
