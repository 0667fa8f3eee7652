import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { isPassing } from './api.ts';
import { keepFocus } from './focus.ts';
import { coverLeftPages } from './left-page.ts';
import { PreferencesProvider } from './preferences.tsx';
import { createAppRouter } from './router.tsx';
import { theme } from './theme.ts';

function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (count, error) => count < 2 && isPassing(error),
        staleTime: 10_000,
        refetchOnWindowFocus: false,
      },
      mutations: { retry: false },
    },
  });
}

export function App(): ReactNode {
  const [queries] = useState(createQueries);
  const [router] = useState(() => createAppRouter(queries));
  useEffect(() => {
    document.documentElement.dataset['ready'] = 'true';
  }, []);
  useEffect(keepFocus, []);
  useEffect(coverLeftPages, []);
  return (
    // Neither variables nor helper classes at run time: they would be <style> elements. The build writes them to a file.
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <PreferencesProvider>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </PreferencesProvider>
    </MantineProvider>
  );
}
