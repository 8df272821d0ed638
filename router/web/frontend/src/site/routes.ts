/* Pages that are opened without loading: applications in one page tell the browser, and we listen. */

import { navigation } from "./address";
import { attempt } from "./scanning";

/** `moved` is called after the address may have changed. */
export function onRoute(moved: () => void): void {
  for (const name of ["popstate", "hashchange"]) addEventListener(name, moved);
  if (navigation) navigation.addEventListener("currententrychange", moved);
  else for (const name of ["pushState", "replaceState"] as const) attempt(wrap, name, moved);
}

/** Where the page's own wraps are: on the object, as Next.js has it, or on the prototype, where others look for it. */
function wrap(name: "pushState" | "replaceState", moved: () => void): void {
  const owner = Object.prototype.hasOwnProperty.call(history, name) ? history : History.prototype;
  const change = owner[name] as (...given: unknown[]) => void;
  owner[name] = function (_state: unknown, _unused: string) {
    const answer = change.apply(this, arguments as unknown as unknown[]);
    attempt(moved);
    return answer;
  };
}
