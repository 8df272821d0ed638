/* The reader's place in the list of calls, kept while they look at one call.

   The list notes its address; a call's page leads back there, and the list then shows the call they came from. */

import { read, write } from "./storage";

const LIST = "ringtrace.list"; // the list's path and query, for this tab
const CALL = "ringtrace.call"; // the id of the row that was opened

function isList(): boolean {
  return document.querySelector("#rows") !== null;
}

function noteList(): void {
  if (isList()) write("sessionStorage", LIST, location.pathname + location.search);
}

document.addEventListener("click", (event) => {
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>("#rows > tr") : null;
  if (!row) return;
  noteList();
  write("sessionStorage", CALL, row.id);
});

noteList();
for (const name of ["htmx:pushedIntoHistory", "htmx:replacedInHistory"]) document.addEventListener(name, noteList);

const back = document.querySelector<HTMLAnchorElement>("[data-back]");
const list = read("sessionStorage", LIST);
if (back && list.startsWith(back.pathname)) back.href = list;

const opened = isList() ? read("sessionStorage", CALL) : null;
const row = opened ? document.getElementById(opened) : null;
if (row) {
  row.querySelector<HTMLElement>("a")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  write("sessionStorage", CALL, "");
}
