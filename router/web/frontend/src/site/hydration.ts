/* Pages that a framework draws on the server and takes over in the browser.

Until then a changed text is a mismatch: React throws the whole tree away, with what the visitor has typed. So nothing
is written there before the framework has marked the element, or before a time in which it has not come. */

import { HYDRATION_LOOK, LONGEST_HYDRATION, LONGEST_LOADING } from "./limits";
import { attempt } from "./scanning";

// who keeps these hydrates the whole document
const GLOBALS = ["__next_f", "__remixContext", "__reactRouterContext", "$_TSR"];
const SERVED =
  "#__next,#__nuxt,#___gatsby,#__docusaurus,[data-reactroot],[data-server-rendered],[data-ringtrace-wait]";
// also of pages drawn in the browser
const LIKELY = "#root,#app,#q-app,#react-root,[ng-server-context]";
const ISLAND = "astro-island"; // has the attribute ssr until its framework begins

/** Says of an element whether its page may be changed there; `again` is told of it when it may later. */
export function hydration(again: (element: Element) => void): (element: Element) => boolean {
  let began = Date.now(); // the script, and then the time after which a framework must come: the page has loaded
  addEventListener("load", () => (began = Date.now()));
  const begun = new WeakMap<Element, number>(); // islands, and when their framework had begun
  const waiting = new Map<Element, boolean>(); // and whether it was taken over when we last looked

  function isTaken(element: Element): boolean {
    const loaded = document.readyState === "complete";
    const island = element.closest(ISLAND);
    if (island && !begun.has(island)) begun.set(island, Date.now());
    const since = Date.now() - Math.max((island && begun.get(island)) || 0, began);
    if (since > (loaded ? LONGEST_HYDRATION : LONGEST_LOADING)) return true;
    if (island && isMarked(element, island)) return true;
    if (island) return since > HYDRATION_LOOK && !hasKey(island, /^__reactContainer/);
    const whole = GLOBALS.some((name) => name in window) && document.documentElement;
    const served = whole || element.closest(SERVED);
    if (served) return isMarked(element, served);
    const likely = element.closest(LIKELY);
    return !likely || loaded || isMarked(element, likely);
  }

  /** A render may be interrupted and begin again: what was taken over is left alone until the next look. */
  function look(): void {
    for (const [element, before] of waiting) {
      const now = isTaken(element);
      waiting.set(element, now);
      if (!now || !before) continue;
      waiting.delete(element);
      attempt(again, element);
    }
    if (waiting.size) setTimeout(look, HYDRATION_LOOK);
  }

  return (element) => {
    if (element.closest(`${ISLAND}[ssr]`)) return false; // its attribute tells when
    if (!waiting.has(element) && isTaken(element)) return true;
    if (!waiting.size) setTimeout(look, HYDRATION_LOOK);
    waiting.set(element, waiting.get(element) || false);
    return false;
  };
}

const hasKey = (element: Element, name: RegExp): boolean =>
  Object.keys(element).some((key) => name.test(key));

/** Whether a framework has the element: React marks each one, but not what it took over as text; Vue marks its root. */
function isMarked(element: Element, root: Element): boolean {
  for (let at: Element | null = element; at; at = at === root ? null : at.parentElement) {
    for (const key of Object.keys(at)) {
      const value = at[key as keyof Element] as unknown as { dangerouslySetInnerHTML?: object } | null;
      if (/^__vue/.test(key) || (at === element && /^__react(?:Fiber|Internal)/.test(key))) return true;
      if (/^__reactProps/.test(key) && value && value.dangerouslySetInnerHTML) return true;
    }
  }
  return false;
}
