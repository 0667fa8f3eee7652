import { type RepairEvidence, UNPLACED } from '../features/registry/index.ts';
import { isProblem } from '../kernel/problem.ts';
import type { OrganisationId, UserId } from '../kernel/ids.ts';
import type { CommandServices } from './command.ts';

/** What the audit log, whose events are sealed, and the bound rows of people and systems say of records to be mended. */
export function repairEvidence({ audit, identity, nodes, actor }: CommandServices): RepairEvidence {
  let systems: Promise<ReadonlyMap<string, OrganisationId>> | undefined;
  const ofSystem = async (id: string): Promise<OrganisationId | undefined> => {
    systems ??= nodes
      .listNodes(actor)
      .then(({ nodes: all }) => new Map(all.filter((one) => one.intact).map((one) => [one.id, one.organisationId])));
    return (await systems).get(id);
  };
  const ofPerson = async (id: UserId): Promise<OrganisationId | undefined> => {
    const [only, ...more] = (await membershipsOf(id)).map((one) => one.organisationId);
    // Who works for several may have registered the record for any of them.
    return more.length === 0 ? only : undefined;
  };
  const membershipsOf = async (id: UserId) => {
    try {
      return (await identity.users.visible(actor, id)).memberships;
    } catch (error) {
      if (isProblem(error)) return [];
      throw error;
    }
  };
  return {
    async registeredBy(sourceId) {
      const asked = { clients: [sourceId], events: ['client.create'], outcome: 'success', limit: 1 } as const;
      const [event] = (await audit.search(asked)).events;
      const { kind, id } = event?.actor ?? {};
      if (id === undefined) return undefined;
      return kind === 'node' ? await ofSystem(id) : kind === 'user' ? await ofPerson(id as UserId) : undefined;
    },
    unplaced: async () => (await nodes.domains.ensureForUsers(UNPLACED, actor)).id,
  };
}
