/* One number in whatever spelling a page has it, found and written again with the same brackets, spaces and hyphens. */

import type { Parts, Pool } from "./configuration";

/** Between texts that are read as one: numbers may go on behind it, and end before it. */
export const SEAM = "\0";

const MARKS = "\\0()./_~\\-\\u00ad\\u00b7\\u200b-\\u2015\\u2022\\u202a-\\u202e\\u2060-\\u2069\\u2212\\uff0d\\uff5e";
const GAP = `\\s*(?:[${MARKS}]\\s*){0,7}`; // however much white space: a source is indented, lines are wrapped
const MORE = new RegExp(`^${GAP}\\d`);
const ANOTHER_COUNTRY = new RegExp(`\\+\\d{0,3}[${MARKS}\\s]*$`);

/** A text that may go on in the next one as the same number, and one that may be such a continuation. */
export const OPEN = new RegExp(`\\d${GAP}$`);
export const CONTINUED = new RegExp(`^(?:${GAP}\\d|${GAP}$)`);
/** A text through which a number may reach. */
export const REACHED = new RegExp(`^[\\d+\\s${MARKS}]*$`);

export interface Match {
  from: number;
  to: number;
  national: string; // digits
  bare: boolean; // without country code and trunk prefix
}

export interface Edit {
  from: number;
  to: number;
  text: string;
}

export const digitsOf = (text: string): string => text.replace(/\D/g, "");

/** The national digits of an E.164 number if it belongs to that country, else nothing. */
export const nationalOf = (number: string, country: string): string =>
  number.startsWith(`+${country}`) ? number.slice(1 + country.length) : "";

/** The pool's number in its parts. */
export function partsOf({ number, display }: Pool): Parts {
  const country = display.split(/\D+/)[1] || "";
  return { country, trunk: country === "7" ? "8" : "0", national: nationalOf(number, country) || digitsOf(number) };
}

/** Any spelling of the number: +7, 007, 8 or nothing before the national digits. */
export function spellingsOf(country: string, trunk: string, national: Iterable<string>): RegExp {
  // Belarus dials 8 and writes 8 (017): its trunk prefix is 8 or 80, of which brackets hold the 0
  const lead = country === "375" ? `(?:8${GAP})?0|8` : [...trunk].join(GAP);
  const abroad = `(?:00)?${country}${lead && `(?:${GAP}\\((?:${lead})\\))?`}`;
  const before = `(?:(?:${abroad}${lead && `|${lead}`})${GAP})?`;
  return new RegExp(`(^|\\D)(${before}${[...national].join(GAP)})(?!\\d)`, "g");
}

/** Where the number of so many national digits stands in the text.

Its national digits alone are a part of another number behind another country's code, and, if any digits are looked
for, among more digits. */
export function find(text: string, spellings: RegExp, length: number, any?: boolean): Match[] {
  const found: Match[] = [];
  spellings.lastIndex = 0;
  for (let match = spellings.exec(text); match; match = spellings.exec(text)) {
    const [whole, lead = "", number = ""] = match;
    const from = match.index + lead.length;
    const to = match.index + whole.length;
    const [before, digits] = [text.slice(0, from), digitsOf(number)];
    const bare = digits.length === length;
    const part = any ? OPEN.test(before) || MORE.test(text.slice(to)) : ANOTHER_COUNTRY.test(before);
    if (part && bare) spellings.lastIndex = from + 1;
    else found.push({ from, to, national: digits.slice(-length), bare });
  }
  return found;
}

/** The first number in the text that could be of the same country, whosever it is. */
export const first = (text: string, { country, trunk, national }: Parts): Match | undefined =>
  find(text, spellingsOf(country, trunk, Array(national.length).fill("\\d")), national.length, true)[0];

/** As many new digits from the end, in the spelling that is there. */
export function respelled(said: string, { from, to }: Pick<Match, "from" | "to">, national: string): Edit {
  const found = said.slice(from, to);
  let at = national.length - digitsOf(found).length;
  return { from, to, text: found.replace(/\d/g, (digit) => national[at++] || digit) };
}

/** What is said after an edit. */
export const edited = (said: string, { from, to, text }: Edit): string => said.slice(0, from) + text + said.slice(to);
