/* Keys of the list: N and P move the focus from call to call; Enter opens the one that has it. */
import { onKey } from "./keys";

const links = (): HTMLAnchorElement[] => [...document.querySelectorAll<HTMLAnchorElement>("#rows .caller a")];

function move(by: number): boolean {
  const all = links();
  const row = document.activeElement?.closest("#rows > tr");
  const place = all.findIndex((link) => link.closest("tr") === row);
  const next = all[place < 0 ? 0 : place + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
}

if (document.querySelector("#rows")) {
  onKey("next", () => move(1));
  onKey("previous", () => move(-1));
}
