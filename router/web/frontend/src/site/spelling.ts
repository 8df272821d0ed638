/* One number in whatever spelling a page has it, found and written anew with the same brackets, spaces and hyphens. */

import type { Parts } from "./configuration";

const GAP_LETTERS = "\\s()./\\-\\u00ad\\u00b7\\u200b\\u2010-\\u2015\\u2060\\u2212";
const GAP = `[${GAP_LETTERS}]{0,7}`;
const ANOTHER_COUNTRY = new RegExp(`\\+\\d{0,3}[${GAP_LETTERS}]*$`);

/** Stands between the texts of a run: it ends no number that goes on behind it, and ends one that does not. */
export const SEAM = "\u2060";

/** A text that may go on in the next one as the same number, and one that may be such a continuation. */
export const OPEN = new RegExp(`\\d${GAP}$`);
export const CONTINUED = new RegExp(`^(?:${GAP}\\d|${GAP}$)`);

export interface Match {
  from: number;
  to: number;
}

export const digitsOf = (text: string): string => text.replace(/\D/g, "");

/** The national digits of an E.164 number if it belongs to that country, else nothing. */
export const nationalOf = (number: string, country: string): string =>
  number.startsWith(`+${country}`) ? number.slice(1 + country.length) : "";

/** Any spelling of the number: +7, 007, 8 or nothing before the national digits. */
export function spellingsOf({ country, trunk, national }: Parts): RegExp {
  const abroad = `(?:00)?${country}${trunk && `(?:${GAP}\\(${trunk}\\))?`}`;
  const before = `(?:(?:${abroad}${trunk && `|${trunk}`})${GAP})?`;
  return new RegExp(`(^|\\D)(${before}${[...national].join(GAP)})(?!\\d)`, "g");
}

/** Where the number stands in the text. A national spelling behind another country's code is another number. */
export function find(text: string, spellings: RegExp, national: string): Match[] {
  const found: Match[] = [];
  spellings.lastIndex = 0;
  for (let match = spellings.exec(text); match; match = spellings.exec(text)) {
    const [whole, before = "", number = ""] = match;
    const from = match.index + before.length;
    const foreign = digitsOf(number) === national && ANOTHER_COUNTRY.test(text.slice(0, from));
    if (!foreign) found.push({ from, to: match.index + whole.length });
  }
  return found;
}

/** As many new digits from the end, in the spelling that was found. */
export function respell(found: string, national: string): string {
  let left = national.length;
  return [...found]
    .reverse()
    .map((letter) => (left && /\d/.test(letter) ? national[--left] : letter))
    .reverse()
    .join("");
}
