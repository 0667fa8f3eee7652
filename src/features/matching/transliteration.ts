import anyAscii from 'any-ascii';

/**
 * Letters with their usual Latin equals. What names in registers are commonly written like has tables of its own: special Latin
 * letters, Cyrillic (close to BGN/PCGN), Greek (ELOT 743, simplified) and Arabic (consonants as in passports). Every other script
 * (Amharic, Devanagari, Bengali, Thai, Hebrew, Georgian, Armenian, Chinese, Japanese, Korean …) is transliterated letter by letter by
 * any-ascii, which follows the usual romanisation of each. Digits and signs are left to whoever folds.
 */
const LATIN = 'ß ss æ ae œ oe ø o ł l đ d ð d þ th ı i ħ h ŋ ng ɓ b ɗ d ƙ k ƴ y ə e ɛ e ɔ o ŧ t ĸ k ɖ d ƒ f ɣ g';
const CYRILLIC =
  'а a б b в v г g ґ g д d е e є ye ж zh з z и i і i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh ' +
  'щ shch ъ  ы y ь  э e ю yu я ya ђ dj ј j љ lj њ nj ћ c џ dz ә a ғ gh қ k ң ng ө o ұ u ү u һ h';
const GREEK = 'α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o';
const ARABIC =
  'ا a آ a أ a إ i ٱ a ب b پ p ت t ة a ث th ج j چ ch ح h خ kh د d ذ dh ر r ز z ژ zh س s ش sh ص s ض d ط t ظ z ع  غ gh ' +
  'ف f ق q ک k ك k گ g ل l م m ن n ه h و w ؤ w ي y ی y ى a ئ y ء ';

function pairs(table: string): [string, string][] {
  const parts = table.split(' ');
  const out: [string, string][] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) out.push([parts[i] ?? '', parts[i + 1] ?? '']);
  return out;
}

const LETTERS: ReadonlyMap<string, string> = new Map(
  [LATIN, CYRILLIC, GREEK, ARABIC].flatMap(pairs).filter(([letter]) => letter !== ''),
);

const LETTER_OR_VOWEL_SIGN = /[\p{L}\p{M}]/u;
const MARK = /\p{M}/u;

/** The Latin letters of one letter that is not ASCII; itself where nobody knows any. */
export function latinOf(letter: string): string {
  const known = LETTERS.get(letter);
  if (known !== undefined) return known;
  if (!LETTER_OR_VOWEL_SIGN.test(letter)) return letter;
  // A mark without a sound of its own, such as the virama that takes a consonant's vowel away, is written by nothing.
  return anyAscii(letter) || (MARK.test(letter) ? '' : letter);
}
