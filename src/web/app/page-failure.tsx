import { Button } from '@mantine/core';
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { IconArrowLeft } from '../ui/icons.ts';
import { FailureNotice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';

/** A page that could not be shown at all. */
export function PageFailure({ error }: { readonly error: unknown }): ReactNode {
  const router = useRouter();
  const { reset } = useQueryErrorResetBoundary();
  useEffect(() => reset(), [reset]);
  return (
    <Page title="This page could not be shown" sentence="The rest of Careseal works as before." width="form">
      <FailureNotice error={error} onRetry={() => void router.invalidate()} />
    </Page>
  );
}

/** A place that the person's roles do not include, opened by its address. */
export function ClosedPlace({ name }: { readonly name: string }): ReactNode {
  return (
    <Page
      title={name}
      sentence="Your roles do not include this page. If you need it for your work, ask an administrator of your organisation."
      width="form"
    >
      <Button component={Link} to="/" leftSection={<IconArrowLeft size={17} aria-hidden />}>
        Home
      </Button>
    </Page>
  );
}

/** An address that leads nowhere. */
export function Lost(): ReactNode {
  return (
    <Page
      title="There is no such page"
      sentence="The address may be mistyped, or your roles do not include this page."
      width="form"
    >
      <Button component={Link} to="/" leftSection={<IconArrowLeft size={17} aria-hidden />}>
        Home
      </Button>
    </Page>
  );
}
