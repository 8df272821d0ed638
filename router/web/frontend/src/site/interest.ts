/* When a visitor wants to see a number: they look at it for a while, touch it, or press the button that shows it. */

import type { Pool } from "./configuration";
import { attempt } from "./scanning";

const LOOKED_AT_MILLISECONDS = 5000;

export interface Interest {
  watch(element: Element, pool: Pool): void;
}

export function interest(wanted: (pool: Pool | string) => void): Interest {
  const watched = new WeakMap<Element, Pool>();
  const timers = new WeakMap<Element, number>();
  const views = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(timers.get(target));
      if (isIntersecting) look(target);
    }
  });

  function look(element: Element): void {
    const looked = (): void => (document.hidden ? look(element) : want(element));
    timers.set(element, window.setTimeout(looked, LOOKED_AT_MILLISECONDS));
  }

  function want(element: Element): void {
    const pool = watched.get(element);
    if (!pool) return;
    watched.delete(element);
    views.unobserve(element);
    attempt(wanted, pool);
  }

  const touched = (event: Event): void =>
    attempt(() => event.composedPath().forEach((element) => want(element as Element)));
  for (const name of ["pointerover", "pointerdown", "touchstart", "focusin"])
    document.addEventListener(name, touched, { capture: true, passive: true });

  const pressed = (event: Event): void =>
    attempt(() => {
      for (const element of event.composedPath())
        if (element instanceof Element && element.hasAttribute("data-ringtrace-show"))
          wanted(element.getAttribute("data-ringtrace-show")!);
    });
  document.addEventListener("click", pressed, { capture: true, passive: true });

  return {
    watch(element, pool) {
      if (watched.has(element)) return;
      watched.set(element, pool);
      views.observe(element);
    },
  };
}
