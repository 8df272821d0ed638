/* Pages that are opened without loading: applications in one page tell the browser, and we listen. */

import { navigation } from "./address";
import { BETWEEN_ROUTES } from "./limits";
import { attempt } from "./scanning";

/** `act` is called after the address may have changed, and says whether there is a new page: one of a flood is enough. */
export function onRoute(act: () => boolean): void {
  let movedAt = 0;
  let timer = 0;
  const moved = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => act() && (movedAt = Date.now()), Math.max(0, movedAt + BETWEEN_ROUTES - Date.now()));
  };
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
