import { BlockList, isIP, isIPv6 } from 'node:net';

/** The peer's address as text; an IPv4 address mapped into IPv6 (::ffff:192.0.2.1) is written as IPv4. */
export function plainAddress(remote: string | undefined): string {
  if (remote === undefined) return 'unknown';
  return remote.startsWith('::ffff:') && remote.includes('.') ? remote.slice(7) : remote;
}

/**
 * Whom an address stands for when counting: IPv4 as it is, IPv6 by its /56, since one customer is given that many
 * addresses and could otherwise pass any limit by changing the lower bits.
 */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  const hex = groups
    .slice(0, 4)
    .map((group) => group.padStart(4, '0'))
    .join('');
  return `${hex.slice(0, 14)}/56`;
}

/** A network as it may be written: an address, or an address and the number of bits that count (CIDR). */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || isIP(address) === 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32);
}

/** Whether an address lies in one of these networks, each of which `isNetwork`. */
export function networkMatcher(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const text of networks) {
    const [address = '', bits] = text.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => address !== undefined && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
