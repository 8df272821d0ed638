/* Requests that fail: the page says so itself, in its own words; htmx would write its events into the console, where
   only what is a fault of ours belongs. */
import htmx from "htmx.org";

const NAMES = ["sseError", "responseError", "sendError", "sendAbort", "afterRequest"];
const SHOWN = new Set(NAMES.map((name) => `htmx:${name}`));

// htmx asks its logger first, and writes what is left of `error` afterwards
htmx.logger = (_element: Element, name: string, detail: { error?: unknown }) => {
  if (SHOWN.has(name)) delete detail.error;
};

let streaming = true; // as far as is known

function show(lost: boolean): void {
  const hint = document.querySelector<HTMLElement>("#lost");
  if (hint) hint.hidden = !lost;
}

document.addEventListener("htmx:sseError", () => show(!(streaming = false)));
document.addEventListener("htmx:sseOpen", () => show(!(streaming = true)));
document.addEventListener("htmx:sendError", () => show(true));
document.addEventListener("htmx:afterRequest", (event) => {
  if ((event as CustomEvent<{ successful: boolean }>).detail.successful) show(!streaming);
});
