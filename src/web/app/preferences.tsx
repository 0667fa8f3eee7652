import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { z } from 'zod';

/** How this browser shows Careseal. No personal data, so the browser's storage may hold it. */
const schema = z.object({
  contrast: z.enum(['usual', 'more']).catch('usual'),
  density: z.enum(['usual', 'compact']).catch('usual'),
  /** Seconds without a move until the privacy screen covers the page; 0 turns it off. */
  privacyAfterSeconds: z.number().int().min(0).max(3600).catch(60),
});
export type Preferences = z.output<typeof schema>;

const KEY = 'careseal-look';
const usual: Preferences = { contrast: 'usual', density: 'usual', privacyAfterSeconds: 60 };

/** What was chosen here before; a system that asks for more contrast gets it until something is chosen. */
function read(): Preferences {
  const system = window.matchMedia('(prefers-contrast: more)').matches ? { contrast: 'more' } : {};
  try {
    const parsed = schema.safeParse({ ...system, ...JSON.parse(localStorage.getItem(KEY) ?? '{}') });
    return parsed.success ? parsed.data : usual;
  } catch {
    return usual;
  }
}

interface PreferencesDoor {
  readonly preferences: Preferences;
  change(part: Partial<Preferences>): void;
}

const Context = createContext<PreferencesDoor>({ preferences: usual, change: () => undefined });

export function PreferencesProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [preferences, setPreferences] = useState(read);
  const change = useCallback((part: Partial<Preferences>) => {
    setPreferences((before) => {
      const after = { ...before, ...part };
      try {
        localStorage.setItem(KEY, JSON.stringify(after));
      } catch {
        // Storage may be forbidden or full; the choice then lasts for this tab only.
      }
      return after;
    });
  }, []);
  useEffect(() => {
    document.documentElement.dataset['contrast'] = preferences.contrast;
    document.documentElement.dataset['density'] = preferences.density;
  }, [preferences]);
  const door = useMemo(() => ({ preferences, change }), [preferences, change]);
  return <Context value={door}>{children}</Context>;
}

export function usePreferences(): PreferencesDoor {
  return useContext(Context);
}
