/* What the browser keeps for us: whose browser it is where the server's cookie is not kept, whether the visitor has
said no, and which numbers this tab has shown. */

import { attempt } from "./scanning";

const VISITOR = "ringtrace_visitor";
const REFUSED = "ringtrace_refused";
const NUMBERS = "ringtrace_numbers";
const TEST = "ringtrace_test";

/** Read what is kept under a name, after keeping the value if there is one; an empty one removes it. */
function stored(area: "localStorage" | "sessionStorage", name: string, value?: string): string {
  let found = "";
  attempt(() => {
    const storage = window[area];
    if (value) storage.setItem(name, value);
    else if (value === "") storage.removeItem(name);
    found = storage.getItem(name) || "";
  });
  return found;
}

export const visitor = (id?: string): string => stored("localStorage", VISITOR, id);
export const refused = (no?: string): string => stored("localStorage", REFUSED, no);
export const numbers = (shown?: string): string[] =>
  stored("sessionStorage", NUMBERS, shown).split(",").filter((number) => /^\+\d{7,15}$/.test(number));

/** Whether the browser keeps anything at all. */
export const keeps = (): boolean => !!stored("localStorage", TEST, "1") && !stored("localStorage", TEST, "");

export function forget(): void {
  visitor("");
  numbers("");
}
