/**
 * A phonetic code for names of many languages, used to bring records together and as a weak sign of likeness.
 * English codes (Soundex, Metaphone) keep or drop the wrong letters elsewhere, so this one follows what transcriptions of
 * one name differ in, whatever the language: vowels, doubled letters, h, and the families b/v/w (one sound in Spanish and in
 * Bantu languages), p/f, c/k/q/g, s/z/x, d/t, l/r (again Bantu, and East Asian), j/y/i. Letter groups are resolved first (ph, sch, ch, tz, …), as in the Kölner
 * Phonetik (Postel 1969) and Daitch-Mokotoff (1985): x is ks, tch is ch, v at the end is f. A w between a consonant or u and a vowel is
 * the vowel that Bantu and West African names write either way (Mwangi, Muangi; Edward, Eduard), but for German and Polish sw. The first
 * sound is kept, vowels as one class. At most six symbols.
 *
 * A text without Latin letters is its own code, cut to six characters.
 */
const CODE_MAX = 6;

// Per Latin letter a..z: symbol; '-' vanishes; '0' is a vowel.
const SOUND = '0BKT0PK-0YKLMN0PKLST0BBS0S'.split('');

export function phonetic(word: string): string {
  let code = '';
  let lastSound = '';
  for (let i = 0; i < word.length && code.length < CODE_MAX; i++) {
    const unit = word.charCodeAt(i);
    if (unit < 97 || unit > 122) {
      if (unit > 127) return word.slice(0, CODE_MAX);
      lastSound = '';
      continue;
    }
    const sound = soundAt(word, i, unit);
    if (sound === '-') continue;
    if (sound !== lastSound) {
      if (sound !== '0') code += sound;
      else if (code === '') code = 'A';
    }
    lastSound = sound;
  }
  return code.length > CODE_MAX ? code.slice(0, CODE_MAX) : code;
}

function soundAt(word: string, i: number, unit: number): string {
  const next = word.charCodeAt(i + 1);
  if (unit === C) return soundOfC(word, i, next);
  if (unit === P && next === H) return 'P';
  if (unit === G && next === H) return i === 0 ? 'K' : '-'; // Hugh, Vaughan, Wright
  if (unit === T && (next === Z || next === S)) return 'S';
  if (unit === T && next === C && word.charCodeAt(i + 2) === H) return '-'; // Tchaikovsky
  if (unit === W && i > 0 && isVowel(next) && isGlide(word.charCodeAt(i - 1))) return '0'; // Mwangi = Muangi
  if (unit === X && i > 0) return 'KS'; // Alexander = Aleksander
  if (unit === V && i > 0 && i === word.length - 1) return 'P'; // Ivanov = Ivanoff
  if (unit === N && next === J && i === 0) return '-'; // Njoroge = Joroge
  if (unit === K && next === N && i === 0) return 'N'; // Knight
  if (unit === W && next === R && i === 0) return 'L'; // Wright
  if (unit === I && i === 0 && isVowel(next)) return 'Y'; // Iusuf = Yusuf
  if (unit === Y && i === 0 && isVowel(next)) return 'Y';
  if (unit === D && next === J) return 'Y'; // Djamila = Jamila
  if (unit === J && i > 0 && word.charCodeAt(i - 1) === D) return '-';
  return SOUND[unit - 97] ?? '-';
}

function soundOfC(word: string, i: number, next: number): string {
  if (next === H) return i > 0 && word.charCodeAt(i - 1) === S ? '-' : 'S'; // ch and sh share a class
  if (next === E || next === I || next === Y || next === Z) return 'S';
  return 'K';
}

/** What a w glides from: u, or a consonant but s (Schwarz) and w itself. */
function isGlide(before: number): boolean {
  return (
    before === U || (!isVowel(before) && before !== S && before !== H && before !== W && before !== Y && before !== Z)
  );
}

function isVowel(unit: number): boolean {
  return unit === 97 || unit === E || unit === I || unit === 111 || unit === U;
}

const C = 99;
const D = 100;
const E = 101;
const G = 103;
const H = 104;
const I = 105;
const J = 106;
const K = 107;
const N = 110;
const P = 112;
const R = 114;
const S = 115;
const T = 116;
const U = 117;
const V = 118;
const W = 119;
const X = 120;
const Y = 121;
const Z = 122;
