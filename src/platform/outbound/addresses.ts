import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Addresses that no caller-given URL may lead to: this machine, private and link-local networks, cloud metadata, and what is
 * not unicast (RFC 6890, RFC 4193, RFC 6598). Otherwise a node could make this server ask its own neighbours (SSRF).
 */
const V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** IPv6: only global unicast (2000::/3) is let through, less what stands for an IPv4 address or is documentation. */
const V6_WITHIN_GLOBAL = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

export interface AddressRules {
  isAllowed(address: string): boolean;
}

/** Throws RangeError where a network is not written as `10.1.0.0/16` or `fd00::/8`. */
export function addressRules(allowedNetworks: readonly string[] | 'any'): AddressRules {
  if (allowedNetworks === 'any') return { isAllowed: (address) => isIP(address) !== 0 };
  const allowed = listOf(allowedNetworks);
  const forbidden = listOf([...V4, ...V6_WITHIN_GLOBAL]);
  const global = listOf(['2000::/3']);
  return {
    isAllowed(text) {
      const address = plain(text);
      if (isIP(address) === 0) return false;
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (allowed.check(address, family)) return true;
      return !forbidden.check(address, family) && (family === 'ipv4' || global.check(address, family));
    },
  };
}

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are IPv4; a zone (`fe80::1%eth0`) says nothing about the address. */
function plain(text: string): string {
  const address = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (!hex?.[1] || !hex[2]) return address;
  const [high, low] = [Number.parseInt(hex[1], 16), Number.parseInt(hex[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    const family = isIP(address);
    if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
      throw new RangeError('A network is written like 10.1.0.0/16 or fd00::/8.');
    list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
