/** Which identifier system an HL7 assigning authority (HD) means, and how a system is written as one. */
import type { NodePrincipal } from '../../kernel/principal.ts';
import type { Hl7Deps } from './deps.ts';
import type { Hl7Field } from './message.ts';

export interface Authorities {
  /** The system of a CX's authority; undefined where it is not known here. Without an authority: the sender's only domain. */
  systemOf(cx: Hl7Field, principal: NodePrincipal): string | undefined;
  /** A system as HD: `^1.2.3^ISO`, `^urn:…^URI`, or the namespace it has as alias. */
  written(system: string): string;
}

const NAMESPACE = 'hl7v2:';

export async function authoritiesOf({ nodes, aliases }: Pick<Hl7Deps, 'nodes' | 'aliases'>): Promise<Authorities> {
  const [table, byAlias] = await Promise.all([nodes.domains.table(), aliases.table()]);
  const known = (name: string | undefined): string | undefined => {
    if (name === undefined) return undefined;
    const system = byAlias.get(name) ?? name;
    return table.bySystem(system) === undefined ? undefined : system;
  };
  const namespaces = new Map(
    [...byAlias].flatMap(([alias, system]) =>
      alias.startsWith(NAMESPACE) ? [[system, alias.slice(NAMESPACE.length)] as const] : [],
    ),
  );
  return {
    systemOf(cx, principal) {
      const authority = cx.component(4);
      const [namespace, universal, type] = [1, 2, 3].map((part) => authority.subcomponent(part).trim());
      if (!namespace && !universal) {
        const [only, ...others] = principal.domains;
        return others.length === 0 ? only : undefined;
      }
      if (!universal) return known(`${NAMESPACE}${namespace}`) ?? known(namespace);
      const isOid = type === 'ISO' || (!type && /^[0-2](\.\d+)+$/.test(universal));
      return known(isOid ? `urn:oid:${universal}` : universal);
    },
    written(system) {
      const namespace = namespaces.get(system) ?? '';
      const oid = /^urn:oid:(.+)$/.exec(system)?.[1];
      return oid === undefined ? `${namespace}&${system}&URI` : `${namespace}&${oid}&ISO`;
    },
  };
}
