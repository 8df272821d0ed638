/* The transcript under the recording: the line that is heard is lit, a word or line that is clicked is heard, and
   words are found in it. */
const SEEK = "ringtrace:seek"; // its detail: seconds

/* Take over every transcript that is not running yet. */
export function startTranscripts(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-transcript]:not([data-running])")) {
    place.dataset["running"] = "";
    run(place);
  }
}

function run(place: HTMLElement): void {
  const lines = [...place.querySelectorAll<HTMLElement>(".line")];
  for (const text of place.querySelectorAll<HTMLElement>("[data-times]")) splitWords(text);
  place.addEventListener("click", hear);
  follow(place, lines);
  search(place, lines);
}

/* Each word in an element of its own, with its time. */
function splitWords(text: HTMLElement): void {
  const times = (text.dataset["times"] ?? "").trim().split(" ");
  const words = (text.textContent ?? "").trim().split(/\s+/);
  if (times.length !== words.length) return;
  text.replaceChildren(...words.flatMap((word, place) => [place ? " " : "", spoken(word, times[place] ?? "")]));
}

function spoken(word: string, at: string): HTMLElement {
  const element = document.createElement("span");
  element.className = "word";
  element.dataset["at"] = at;
  element.textContent = word;
  return element;
}

function hear(event: MouseEvent): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !(event.target instanceof Element)) return;
  if (String(getSelection() ?? "")) return; // text that is selected to be copied
  const word = event.target.closest<HTMLElement>(".word");
  const moment = event.target.closest<HTMLElement>(".moment")?.closest<HTMLElement>(".line");
  const at = (word ?? moment)?.dataset["at"];
  if (at === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  seek(Number(at));
}

/* The player moves; without one that listens, the audio element itself. */
function seek(seconds: number): void {
  const asked = new CustomEvent(SEEK, { detail: seconds, bubbles: true, cancelable: true });
  const audio = document.querySelector<HTMLAudioElement>("#player audio");
  if (!document.dispatchEvent(asked) || !audio) return;
  audio.currentTime = seconds;
  audio.play().catch(() => undefined); // the player says why
}

function follow(place: HTMLElement, lines: HTMLElement[]): void {
  const audio = document.querySelector<HTMLAudioElement>("#player audio");
  if (!audio) return;
  let lit: HTMLElement | undefined;
  const show = () => {
    if (!place.isConnected) return audio.removeEventListener("timeupdate", show);
    const now = audio.currentTime;
    const spoken = lines.filter((line) => Number(line.dataset["at"]) <= now && now < Number(line.dataset["until"]));
    const current = spoken.at(-1);
    if (current === lit) return;
    lit?.removeAttribute("aria-current");
    current?.setAttribute("aria-current", "true");
    lit = current;
    if (!audio.paused) keepInView(current);
  };
  audio.addEventListener("timeupdate", show);
}

/* Only the list scrolls, never the page under the reader's hands. */
function keepInView(line: HTMLElement | undefined): void {
  const list = line?.parentElement;
  if (!line || !list || list.contains(document.activeElement)) return;
  const above = line.offsetTop - list.offsetTop;
  if (above < list.scrollTop || above + line.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = above - list.clientHeight / 3;
  }
}

function search(place: HTMLElement, lines: HTMLElement[]): void {
  const field = place.querySelector<HTMLInputElement>("[data-find]");
  const found = place.querySelector<HTMLOutputElement>("[data-found]");
  const row = field?.closest<HTMLElement>(".find");
  if (!field || !found || !row) return;
  row.hidden = false;
  field.addEventListener("input", () => {
    const wanted = folded(field.value).split(" ").filter(Boolean);
    let count = 0;
    for (const line of lines) {
      const text = folded(line.querySelector("[data-times]")?.textContent ?? "");
      const matches = wanted.every((word) => text.includes(word));
      line.hidden = !matches;
      count += Number(matches);
      for (const word of line.querySelectorAll(".word")) {
        const said = folded(word.textContent ?? "");
        word.classList.toggle("found", wanted.some((part) => said.includes(part)));
      }
    }
    found.value = wanted.length ? `${count} / ${lines.length}` : "";
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const first = lines.find((line) => !line.hidden);
    const at = first?.querySelector<HTMLElement>(".found")?.dataset["at"] ?? first?.dataset["at"];
    if (at !== undefined) seek(Number(at));
    event.preventDefault();
  });
}

function folded(text: string): string {
  return text.toLocaleLowerCase().replaceAll("ё", "е").trim().replace(/\s+/g, " ");
}
