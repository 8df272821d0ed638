/* Marked calls of the list: by their boxes, by X on the row that has the focus, with Shift a range, all by the box above
   them. Marks stay when a row is sent again, or more rows are fetched. */
import { onKey } from "./keys";

const marks = new Set<string>(); // ids of calls
let last: HTMLInputElement | null = null; // the box that was pressed last

const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("#rows .mark input")];

function show(): void {
  const all = boxes();
  const marked = all.filter((box) => box.checked).length;
  const head = document.querySelector<HTMLInputElement>("#mark-all");
  if (head) {
    head.checked = marked > 0 && marked === all.length;
    head.indeterminate = marked > 0 && marked < all.length;
  }
  const output = document.querySelector("#marked");
  if (output) output.textContent = String(marked);
}

function set(box: HTMLInputElement, marked: boolean): void {
  box.checked = marked;
  if (marked) marks.add(box.value);
  else marks.delete(box.value);
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.closest("#rows .mark")) return;
  const all = boxes();
  const [from, to] = [last ? all.indexOf(last) : -1, all.indexOf(box)];
  if (event.shiftKey && from >= 0)
    for (const other of all.slice(Math.min(from, to), Math.max(from, to) + 1)) set(other, box.checked);
  else set(box, box.checked);
  last = box;
  show();
});

document.addEventListener("change", (event) => {
  const head = event.target;
  if (!(head instanceof HTMLInputElement) || head.id !== "mark-all") return;
  for (const box of boxes()) set(box, head.checked);
  show();
});

onKey("mark", () => {
  const box = document.activeElement?.closest("#rows > tr")?.querySelector<HTMLInputElement>(".mark input");
  if (!box) return false;
  set(box, !box.checked);
  last = box;
  show();
});

function follow(): void {
  const rows = document.querySelector("#rows");
  if (!rows) return;
  new MutationObserver(() => {
    for (const box of boxes()) if (marks.has(box.value)) box.checked = true;
    show();
  }).observe(rows, { childList: true });
}

// another list: nothing of it is marked
document.addEventListener("htmx:afterSwap", (event) => {
  if ((event.target as Element).id !== "results") return;
  marks.clear();
  last = null;
  follow();
  show();
});
follow();
show();
