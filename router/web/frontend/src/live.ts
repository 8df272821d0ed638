/* Calls that appear and change by themselves.

   The server sends the row of each changed call; where it belongs is decided here, by the time of arrival, because
   only the page knows which rows it shows. Parts of a call's page are replaced only when they say something new,
   so that a recording goes on playing and a button keeps its focus. */
import htmx from "htmx.org";

let seen: string | null = null; // the last revision of the open stream

/* The extension opens a new stream where the browser gave up; like the browser itself it must go on where it was. */
(htmx as unknown as { createEventSource: (url: string) => EventSource }).createEventSource = (url) => {
  const address = new URL(url, location.href);
  if (seen !== null) address.searchParams.set("since_revision", seen);
  const source = new EventSource(address);
  for (const name of ["call", "gone", "changed"]) {
    source.addEventListener(name, (event) => (seen = event.lastEventId || seen));
  }
  return source;
};

document.addEventListener("htmx:sseClose", () => (seen = null)); // other filters, another stream
document.addEventListener("htmx:sseError", () => showLost(true));
document.addEventListener("htmx:sseOpen", () => showLost(false));

function showLost(lost: boolean): void {
  const hint = document.querySelector<HTMLElement>("#lost");
  if (hint) hint.hidden = !lost;
}

document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const rows = event.target;
  if (!(rows instanceof HTMLElement) || rows.id !== "rows") return;
  event.preventDefault();
  const { type, data } = (event as CustomEvent<MessageEvent<string>>).detail;
  if (type === "gone") document.getElementById(`call-${data}`)?.remove();
  else place(rows, data);
});

function place(rows: HTMLElement, html: string): void {
  const template = document.createElement("template");
  template.innerHTML = html;
  const row = template.content.querySelector("tr");
  if (!row) return;
  const shown = document.getElementById(row.id);
  if (shown) {
    const focused = shown.contains(document.activeElement);
    shown.replaceWith(row);
    if (focused) row.querySelector("a")?.focus();
    return;
  }
  const older = [...rows.children].find((other) => other instanceof HTMLElement && comesBefore(row, other));
  if (!older && document.querySelector("#more a")) return; // it belongs to a page not fetched yet
  row.classList.add("new");
  rows.insertBefore(row, older ?? null);
}

/* Newest first; calls of the same moment by their id, as the server orders them. */
function comesBefore(one: HTMLElement, other: HTMLElement): boolean {
  const [a, b] = [Number(one.dataset["at"]), Number(other.dataset["at"])];
  return a > b || (a === b && (one.dataset["id"] ?? "") > (other.dataset["id"] ?? ""));
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { detail } = event as CustomEvent<{ target: HTMLElement; fragment: DocumentFragment; shouldSwap: boolean }>;
  const fresh = detail.fragment.firstElementChild;
  if (fresh instanceof HTMLElement && says(fresh) === says(detail.target)) detail.shouldSwap = false;
});

function says(part: HTMLElement): string {
  return part.dataset["version"] ?? (part.textContent ?? "").replace(/\s+/g, " ").trim();
}
