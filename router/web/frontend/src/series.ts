/* From call to call: who was listening hears the next one too, and with continuous play it opens by itself. */
import type { Player } from "./player";
import { read, rememberSwitch, write } from "./storage";

const PLAYS = "ringtrace.plays"; // the path of the call that plays as soon as it is open, for this tab

const wanted = read("sessionStorage", PLAYS) === location.pathname;
write("sessionStorage", PLAYS, "");

export function startSeries(player: Player): void {
  const { audio } = player;
  const continuous = player.part<HTMLInputElement>("[data-continuous]");
  rememberSwitch(continuous, "ringtrace.continuous");
  if (wanted) player.play();

  for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-key=next], [data-key=previous]")) {
    link.addEventListener("click", () => {
      if (!audio.paused) write("sessionStorage", PLAYS, link.pathname);
    });
  }
  audio.addEventListener("ended", () => {
    const following = document.querySelector<HTMLAnchorElement>("[data-following]");
    if (!continuous.checked || !audio.ended || !following) return;
    write("sessionStorage", PLAYS, following.pathname);
    location.assign(following.href);
  });
}
