import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import {
  AccessReviewAnswer,
  EmergenciesAnswer,
  IdentitiesAnswer,
  OrganisationChoices,
  OrganisationsAnswer,
  ProviderChoices,
  ProvidersAnswer,
  RightsAnswer,
  RolesAnswer,
  TokensAnswer,
} from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';

export const organisationPage = (asked: { text: string; state: 'active' | 'retired'; after: number }) =>
  queryOptions({
    queryKey: ['organisations', asked],
    queryFn: ({ signal }) => api.send('POST', '/api/organisations/search', OrganisationsAnswer, asked, { signal }),
    placeholderData: keepPreviousData,
  });

export const organisationChoices = (text: string) =>
  queryOptions({
    queryKey: ['organisation-choices', text],
    queryFn: ({ signal }) => api.send('POST', '/api/organisations/choices', OrganisationChoices, { text }, { signal }),
    placeholderData: keepPreviousData,
  });

export const roleList = queryOptions({
  queryKey: ['roles'],
  queryFn: ({ signal }) => api.get('/api/roles', RolesAnswer, { signal }),
  staleTime: 60_000,
});

export const rightsOf = (userId: string, organisationId: string | undefined) =>
  queryOptions({
    queryKey: ['rights', userId, organisationId],
    queryFn: ({ signal }) =>
      api.send(
        'POST',
        '/api/rights',
        RightsAnswer,
        { userId, ...(organisationId ? { organisationId } : {}) },
        { signal },
      ),
  });

export const accessReview = (days: number, offset: number) =>
  queryOptions({
    queryKey: ['access-review', days, offset],
    queryFn: ({ signal }) =>
      api.get(`/api/access-review?days=${days}&offset=${offset}&limit=50`, AccessReviewAnswer, { signal }),
    placeholderData: keepPreviousData,
  });

export const emergencyList = (state: 'waiting' | 'reviewed') =>
  queryOptions({
    queryKey: ['emergencies', state],
    queryFn: ({ signal }) => api.get(`/api/emergencies?state=${state}&limit=200`, EmergenciesAnswer, { signal }),
    // Somebody may have broken the glass a moment ago.
    refetchOnMount: 'always' as const,
  });

export const tokenList = queryOptions({
  queryKey: ['personal-tokens'],
  queryFn: ({ signal }) => api.get('/api/personal-tokens', TokensAnswer, { signal }),
});

export const providerChoices = queryOptions({
  queryKey: ['session', 'providers'],
  queryFn: ({ signal }) => api.get('/api/sign-in/providers', ProviderChoices, { signal, signingIn: true }),
  staleTime: 300_000,
  retry: false,
});

export const providerList = queryOptions({
  queryKey: ['providers'],
  queryFn: ({ signal }) => api.get('/api/providers', ProvidersAnswer, { signal }),
});

export const identityList = queryOptions({
  queryKey: ['identities'],
  queryFn: ({ signal }) => api.get('/api/identities', IdentitiesAnswer, { signal }),
});
