/* What is around a number and makes it something else than a number to call: an address, an account, one of several. */

import type { Match } from "./spelling";

/** Links where a tracking number would reach another person or no person. */
export const MESSENGERS = [
  ...["wa.me/", "whatsapp", "viber", "//t.me/", "telegram", "tg:", "sms:", "smsto:", "skype:", "mailto:"],
  ...["signal.me/", "//m.me/", "//max.ru/"],
]
  .flatMap((part) => ["a[href", "[onclick", "[data-href"].map((place) => `${place}*="${part}" i]`))
  .join();

const ADDRESS = /(?:\/\/|www\.)\S*$|[a-z]\S*[/=@]$|[a-z_@]$/i; // before it
const MAIL_OR_NAME = /^[\w.-]*@|^(?!x\d|ext)[a-z_]|^\.[a-z]/i; // behind it
const MORE_BEFORE = /\d[\s.,]$/;
const MORE_BEHIND = /^[.,]\d/;
// 8 (495) 123-45-67/68 and …, 68, 69: the last digits of the company's other lines
const LINES = /^\s?\/\s?-?\d{1,4}(?!\d|\s*[-(]?\d)|^(?:\s?[,;(]|\sи)\s?-?\d\d(?=\s*(?:[,;)]|$|и\s))/;

/** Whether the text around the match is part of it, so that its digits alone mean nothing. */
export function isPart(text: string, { from, to, bare }: Match): boolean {
  const before = text.slice(Math.max(0, from - 99), from).replace(/\0/g, "");
  const behind = text.slice(to, to + 99).replace(/\0/g, "");
  return (
    ADDRESS.test(before) ||
    MAIL_OR_NAME.test(behind) ||
    LINES.test(behind) ||
    (bare && (MORE_BEFORE.test(before) || MORE_BEHIND.test(behind)))
  );
}
