import { type ReactNode, useEffect, useRef } from 'react';
import './page.css';

export interface PageProps {
  /** What the page is. Shown as heading and as the window's title, so it never holds a name or an identifier. */
  readonly title: string;
  /** Where a person's name is the heading; the window keeps `title`. */
  readonly heading?: ReactNode;
  /** One sentence for the newcomer. */
  readonly sentence: ReactNode;
  /** The one primary action. */
  readonly action?: ReactNode;
  readonly above?: ReactNode;
  readonly width?: 'form' | 'reading' | 'wide';
  readonly children: ReactNode;
}

/** Every page of the frame: title, sentence, action, content. Moves the focus to its heading, so that a screen reader says where one is. */
export function Page({ title, heading, sentence, action, above, width = 'wide', children }: PageProps): ReactNode {
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Careseal`;
    // A page that opens with a field focused (search) keeps it.
    if (document.activeElement === document.body || document.activeElement === null) {
      headingRef.current?.focus({ preventScroll: true });
    }
  }, [title]);
  return (
    <div className="page" data-width={width}>
      {above}
      <header className="page-head">
        <div className="page-words">
          <h1 ref={headingRef} tabIndex={-1}>
            {heading ?? title}
          </h1>
          <p>{sentence}</p>
        </div>
        {action !== undefined && <div className="page-action">{action}</div>}
      </header>
      {children}
    </div>
  );
}

export interface SectionProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly note?: ReactNode;
  readonly children: ReactNode;
  readonly id?: string;
}

export function Section({ title, aside, note, children, id }: SectionProps): ReactNode {
  const headingId = `${id ?? title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}-heading`;
  return (
    <section className="section" aria-labelledby={headingId} id={id}>
      <div className="section-head">
        <h2 id={headingId}>{title}</h2>
        {aside}
      </div>
      {note !== undefined && <p className="section-note">{note}</p>}
      {children}
    </section>
  );
}
