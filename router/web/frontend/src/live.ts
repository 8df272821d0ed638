/* Calls that appear and change by themselves.

   The server sends the row of each changed call; where it belongs is decided here, by the time of arrival, because
   only the page knows which rows it shows. Parts of a call's page are replaced only when their version differs,
   so that a recording goes on playing and a button keeps its focus. */
import htmx from "htmx.org";

import { canShare, leaveIfLoggedOut, SharedStream } from "./shared";

let seen: string | null = null; // the last revision of the open stream

/* Where tabs cannot share one (plain http, old browsers): a stream that is open while somebody looks: a browser has few connections to one server for all its tabs. It goes on
   where it was, also where the extension opens another one because the browser gave up. */
class Stream extends EventTarget {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  private source: EventSource | null = null;
  private over = false;

  constructor(private readonly address: URL) {
    super();
    document.addEventListener("visibilitychange", this.look);
    this.look();
  }

  get readyState(): number {
    return this.over ? EventSource.CLOSED : (this.source?.readyState ?? EventSource.CONNECTING);
  }

  close(): void {
    this.over = true;
    this.source?.close();
    document.removeEventListener("visibilitychange", this.look);
  }

  private readonly look = (): void => {
    if (!document.hidden) this.source ??= this.open();
    else {
      this.source?.close();
      this.source = null;
    }
  };

  private open(): EventSource {
    if (seen !== null) this.address.searchParams.set("since_revision", seen);
    const source = new EventSource(this.address);
    source.onopen = (event) => this.onopen?.(event);
    source.onerror = (event) => {
      if (source.readyState === EventSource.CLOSED) {
        this.close();
        void leaveIfLoggedOut();
      }
      this.onerror?.(event);
    };
    source.addEventListener("stale", () => location.reload()); // too much has changed to be sent row by row
    for (const name of ["call", "gone", "changed"]) {
      source.addEventListener(name, ({ data, lastEventId }) => {
        seen = lastEventId || seen;
        this.dispatchEvent(new MessageEvent(name, { data: data as string, lastEventId }));
      });
    }
    return source;
  }
}

(htmx as unknown as { createEventSource: (url: string) => Stream | SharedStream }).createEventSource = (url) =>
  canShare ? new SharedStream(new URL(url, location.href)) : new Stream(new URL(url, location.href));

document.addEventListener("htmx:sseClose", () => (seen = null)); // other filters, another stream

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
  if (fresh instanceof HTMLElement && isSame(fresh, detail.target)) detail.shouldSwap = false;
  else if (isFilledIn(detail.target)) {
    detail.shouldSwap = false;
    late = true;
  } else keepOpen(detail.target, detail.fragment);
});

/* What somebody has opened stays open where it has news. */
function keepOpen(shown: HTMLElement, fresh: DocumentFragment): void {
  for (const { id } of shown.querySelectorAll("details[open][id]"))
    fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
}

let late = false; // a part has news, and somebody was writing in it

/* What somebody writes in, or has written in and not sent. */
function isFilledIn(part: HTMLElement): boolean {
  const fields = [...part.querySelectorAll<HTMLInputElement>("input:not([type]), input[type=text], textarea")];
  return fields.some((field) => field === document.activeElement || field.value !== field.defaultValue);
}

document.addEventListener("focusout", () => {
  if (late) htmx.trigger("[hx-trigger*=late]", "late", {});
  late = false;
});

/* The server gives each part a digest of its HTML. Its text would not do: of a link, the address alone may change. */
function isSame(fresh: HTMLElement, shown: HTMLElement): boolean {
  const version = fresh.dataset["version"];
  return version !== undefined && version === shown.dataset["version"];
}
