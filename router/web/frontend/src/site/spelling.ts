/* One number in whatever spelling a page has it, found and written again with the same brackets, spaces and hyphens. */

import type { Parts, Pool } from "./configuration";

/** Between texts that are read as one: numbers may go on behind it, and end before it. */
export const SEAM = "\0";

const MARKS = "\\0()\\[\\]|'./_~\\-\\u00ad\\u00b7\\u200b-\\u206f\\u2212-\\u2219\\u22c5\\uff08-\\uff0f\\uff5e";
const GAP = `\\s*(?:[${MARKS}]\\s*){0,7}`; // however much white space: a source is indented, lines are wrapped
const LESS = new RegExp(`\\d${GAP}$`);
const MORE = new RegExp(`^${GAP}\\d`);
const ABROAD = `(?:0${GAP}0${GAP})?`;
const ANOTHER_COUNTRY = new RegExp(`\\+\\d{0,3}[${MARKS}\\s]*$`);

/** A text that may go on in the next one as the same number, and one that may be such a continuation. */
export const OPEN = new RegExp(`[\\d+(]${GAP}$`);
export const CONTINUED = new RegExp(`^(?:${GAP}\\d|${GAP}$)`);
/** A text through which a number may reach. */
export const REACHED = new RegExp(`^[\\d+\\s${MARKS}]*$`);

export interface Match {
  from: number;
  to: number;
  national: string; // digits
  bare: boolean; // without country code and trunk prefix
  old: boolean; // in an old spelling, which other numbers do not have
}

export interface Edit {
  from: number;
  to: number;
  text: string;
}

const DIGITS = /[\d\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g; // Arabic, Persian and wide ones, too
export const DIGIT = new RegExp(DIGITS.source);

/** The text with digits that this script can count with: each row of them begins at a multiple of sixteen. */
export const plain = (text: string): string => text.replace(DIGITS, (digit) => `${digit.charCodeAt(0) & 15}`);

export const digitsOf = (text: string): string => plain(text).replace(/\D/g, "");

/** The national digits of an E.164 number if it belongs to that country, else nothing. */
export const nationalOf = (number: string, country: string): string =>
  number.startsWith(`+${country}`) ? number.slice(1 + country.length) : "";

/** The pool's number in its parts. */
export const partsOf = ({ number, parts }: Pool): Parts =>
  parts || { country: "", leads: [], national: digitsOf(number), old: [] };

/** Any spelling of the number: +7, 007, 8 or nothing before the national digits, or an old one. */
export function spellingsOf({ country, leads, old }: Parts, national: Iterable<string>): RegExp {
  const number = [...national].join(GAP);
  const spaced = (pattern: string): string =>
    [...pattern].map((one) => (one === "N" ? number : one === "x" ? "[\\dx*]" : one)).join(GAP);
  const any = (patterns: string[]): string => `(?:${patterns.map(spaced).join("|")})`;
  const lead = leads.length ? any(leads) : "";
  const code = spaced(country) + (lead && `(?:[${MARKS}\\s]{1,9}${lead})?`); // +44 (0)20, +44 (020)
  const usual = `(?:(?:${ABROAD}${code}${lead && `|${lead}`})${GAP})?${number}`;
  const whole = old.length ? `(${ABROAD}${any(old)})` : "(x^)";
  return new RegExp(`(^|\\D)(?:(${usual})|${whole})(?!\\d)`, "gi");
}

/** Where the number of so many national digits stands in the text.

Its national digits alone are a part of another number behind another country's code, and, if any digits are looked
for, among more digits. */
export function find(said: string, spellings: RegExp, length: number, any?: boolean): Match[] {
  const found: Match[] = [];
  const text = plain(said);
  spellings.lastIndex = 0;
  for (let match = spellings.exec(text); match; match = spellings.exec(text)) {
    const [whole, lead = "", number, old = ""] = match;
    const from = match.index + lead.length;
    const to = match.index + whole.length;
    const [before, digits] = [text.slice(0, from), digitsOf(number || old)];
    const bare = digits.length === length;
    const part = any
      ? LESS.test(before) || MORE.test(text.slice(to))
      : ANOTHER_COUNTRY.test(before);
    if (part && bare) spellings.lastIndex = from + 1;
    else found.push({ from, to, national: digits.slice(-length), bare, old: !!old });
  }
  return found;
}

/** The first number in the text that could be of the same country, whosever it is. */
export function first(text: string, parts: Parts): Match | undefined {
  const { length } = parts.national;
  return find(text, spellingsOf(parts, Array(length).fill("\\d")), length, true)[0];
}

/** As many new digits from the end, in the spelling that is there. */
export function respelled(said: string, { from, to }: Pick<Match, "from" | "to">, national: string): Edit {
  const found = said.slice(from, to);
  let at = national.length - digitsOf(found).length;
  const next = (digit: string): string => {
    const value = national[at++];
    return value ? String.fromCharCode((digit.charCodeAt(0) & ~15) | +value) : digit;
  };
  return { from, to, text: found.replace(DIGITS, next) };
}

/** What is said after an edit. */
export const edited = (said: string, { from, to, text }: Edit): string => said.slice(0, from) + text + said.slice(to);

/** Another number in place of what is found, with the bracket and the plus sign before it. */
export function replaced(
  said: string,
  { from, to }: Pick<Match, "from" | "to">,
  text: string,
): Edit {
  const found = said.slice(from, to);
  const closes = found.split(")").length > found.split("(").length;
  const opening = closes ? /(?:\([\s\0]*)?(?:\+[\s\0]*)?$/ : /(?:\+[\s\0]*)?$/;
  const before = said.slice(0, from).search(opening);
  return { from: before, to, text: text + said.slice(before, to).replace(/[^\0]/g, "") };
}
