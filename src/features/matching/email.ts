/** E-mail addresses in lower case; empty for what is none. */
export function normaliseEmail(text: string): string {
  const address = text
    .trim()
    .toLowerCase()
    .replace(/^mailto:/, '');
  const at = address.lastIndexOf('@');
  return at > 0 && at < address.length - 1 && address.length <= 254 && !/\s/.test(address) ? address : '';
}

export function localPart(address: string): string {
  return address.slice(0, address.lastIndexOf('@'));
}
