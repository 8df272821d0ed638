/* When a visitor wants to see a number: they look at it for a while, touch it, or press the button that shows it. */

import type { Pool } from "./configuration";
import { LOOKED_AT_MILLISECONDS } from "./limits";
import { attempt, hear, isElement } from "./scanning";

/** Watches elements that stand for a pool's number; `wanted` hears which pools' numbers are to be seen. */
export function interest(wanted: (pool: Pool | string) => void): (element: Element, pool: Pool) => void {
  const watched = new WeakMap<Element, Set<Pool>>();
  const timers = new WeakMap<Element, number>();
  const views = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(timers.get(target));
      if (isIntersecting) look(target);
    }
  });

  function look(element: Element): void {
    const looked = (): void => (document.hidden ? look(element) : want(element));
    timers.set(element, setTimeout(looked, LOOKED_AT_MILLISECONDS));
  }

  function want(element: Element): void {
    const pools = watched.get(element);
    if (!pools) return;
    watched.delete(element);
    views.unobserve(element);
    for (const pool of pools) attempt(wanted, pool);
  }

  for (const name of ["pointerover", "pointerdown", "touchstart", "focusin"])
    hear(name, (event) => event.composedPath().forEach((element) => want(element as Element)));
  hear("click", (event) => {
    for (const element of event.composedPath())
      if (isElement(element as Node) && (element as Element).hasAttribute("data-ringtrace-show"))
        wanted((element as Element).getAttribute("data-ringtrace-show")!);
  });

  return (element, pool) => {
    watched.set(element, (watched.get(element) || new Set()).add(pool));
    views.observe(element);
  };
}
