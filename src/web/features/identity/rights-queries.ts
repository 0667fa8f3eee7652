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

interface ReviewAsked {
  readonly days: number;
  /** Undefined: of all that one administers. */
  readonly organisation: string | undefined;
  readonly offset: number;
}

export const accessReview = ({ days, organisation, offset }: ReviewAsked) =>
  queryOptions({
    queryKey: ['access-review', days, organisation, offset],
    queryFn: ({ signal }) => {
      const place = organisation === undefined ? '' : `&organisation=${organisation}`;
      const asked = `days=${days}&offset=${offset}&limit=50${place}`;
      return api.get(`/api/access-review?${asked}`, AccessReviewAnswer, { signal });
    },
    placeholderData: keepPreviousData,
  });

export const EMERGENCIES_PAGE = 20;
export const emergencyList = (state: 'waiting' | 'reviewed', offset: number) =>
  queryOptions({
    queryKey: ['emergencies', state, offset],
    queryFn: ({ signal }) => {
      const asked = `state=${state}&offset=${offset}&limit=${EMERGENCIES_PAGE}`;
      return api.get(`/api/emergencies?${asked}`, EmergenciesAnswer, { signal });
    },
    placeholderData: keepPreviousData,
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
