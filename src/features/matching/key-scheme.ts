/**
 * The number of the way in which a record's values become blocking keys: folding, transliteration, sound codes, telephone and
 * address normalisation, what a part of a rule takes of them. A registry keeps with which number its keys were made and makes them
 * anew where the program has another one; what the model document says (its rules, skipped words, shares of names) is not in it.
 *
 * Raise it with every change that gives any record other keys. A test with golden keys fails until that is done.
 */
export const KEY_SCHEME = 2;
