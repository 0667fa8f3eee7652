/** Levels of telephones, addresses of mail, identifiers: places in CONTACT_LEVELS. */
export const CONTACT_EXACT = 0;
export const CONTACT_CLOSE = 1;
export const CONTACT_DIFFERENT = 2;
