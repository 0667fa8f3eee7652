import { isIPv6 } from 'node:net';

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
