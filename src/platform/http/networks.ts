import { BlockList, isIP } from 'node:net';

/** `192.0.2.0/24`, `2001:db8::/32`, or a single address. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const kind = isIP(address);
  if (kind === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (kind === 4 ? 32 : 128));
}

/** Whether an address lies in one of the networks. None at all: every address does. */
export function networkCheck(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true;
  const allowed = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    allowed.addSubnet(address, prefix === undefined ? (kind === 'ipv6' ? 128 : 32) : Number(prefix), kind);
  }
  return (address) => {
    const kind = isIP(address);
    return kind !== 0 && allowed.check(address, kind === 6 ? 'ipv6' : 'ipv4');
  };
}
