/* Moments of a recording: in the address (`?t=73`, `#t=1:13`), in links of the page, copied, and kept on reload. */
import { onKey } from "./keys";
import { clock, type Player } from "./player";
import { read, write } from "./storage";

const POSITION = "ringtrace.position."; // … and the path, for this tab
const MOMENT = /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,5}(?:\.\d{1,3})?)$/;

export function startMoments(player: Player): void {
  const { audio } = player;
  const name = POSITION + location.pathname;
  const position = begin(Number(read("sessionStorage", name)));
  if (position) player.seek(position);

  const keep = () => {
    const over = audio.ended || audio.currentTime >= player.seconds - 1;
    write("sessionStorage", name, over ? "" : audio.currentTime.toFixed(1));
  };
  for (const event of ["timeupdate", "seeked"]) audio.addEventListener(event, keep);
  addEventListener("pagehide", keep); // the sound of a new place may still be on its way

  const goTo = (moment: number) => {
    player.seek(moment);
    player.play();
  };
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const moment = link ? momentIn(link) : null;
    if (moment === null || !player.place.isConnected || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goTo(moment);
  });
  addEventListener("hashchange", () => {
    const moment = momentIn(location);
    if (moment !== null && player.place.isConnected) goTo(moment);
  });

  const copy = () => void copyLink(player);
  player.part("[data-copy]").addEventListener("click", copy);
  onKey("copy-link", copy);
  drawMarks();
}

/* A reload goes on where it was; a link with a moment begins there. */
function begin(kept: number): number {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const again = entry?.type === "reload" || entry?.type === "back_forward";
  return (again && kept) || momentIn(location) || kept || 0;
}

/* The moment of this page that an address names; in a link that leads to a part of the page, there is none. */
function momentIn(address: URL | Location | HTMLAnchorElement): number | null {
  if (address.pathname !== location.pathname || address.host !== location.host) return null;
  const hash = new URLSearchParams(address.hash.slice(1)).get("t");
  const query = address !== location && address.hash ? null : new URLSearchParams(address.search).get("t");
  const [, hours, minutes, seconds] = MOMENT.exec(hash ?? query ?? "") ?? [];
  return seconds === undefined ? null : 3600 * Number(hours ?? 0) + 60 * Number(minutes ?? 0) + Number(seconds);
}

async function copyLink(player: Player): Promise<void> {
  const moment = Math.floor(player.audio.currentTime);
  const link = `${location.origin}${location.pathname}?t=${moment}`;
  const copied = await copyText(link);
  player.say(copied ? `${player.part("[data-copy]").dataset["copied"] ?? ""} (${clock(moment)})` : link);
}

/* The clipboard is closed to pages without https. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    const focused = document.activeElement;
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    return done;
  }
}

/* Show the list of marks on the timeline too. */
export function drawMarks(): void {
  const line = document.querySelector<HTMLElement>("[data-player] .ticks");
  const seconds = Number(line?.closest<HTMLElement>("[data-player]")?.dataset["seconds"]);
  if (!line || !seconds) return;
  const links = document.querySelectorAll<HTMLAnchorElement>("#marks a[data-at]");
  line.replaceChildren(...[...links].map((link) => tick(link, seconds)));
}

function tick(link: HTMLAnchorElement, seconds: number): HTMLElement {
  const { at, seconds: length, mark } = link.dataset;
  const drawn = document.createElement("a");
  drawn.href = link.href;
  drawn.tabIndex = -1; // the list has the same links for the keyboard
  drawn.title = link.textContent?.trim().replace(/\s+/g, " ") ?? "";
  drawn.className = `tick ${mark ?? ""}`;
  drawn.style.left = `${(100 * Number(at)) / seconds}%`;
  drawn.style.width = `${(100 * Number(length)) / seconds}%`;
  return drawn;
}
