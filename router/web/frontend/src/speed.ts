/* The speed of the player, remembered for the next recording. Its steps are the options of the list. */
import { onKey } from "./keys";
import type { Player } from "./player";
import { read, write } from "./storage";

const SPEED = "ringtrace.speed";

export function startSpeed(player: Player): void {
  const list = player.part<HTMLSelectElement>("[data-speed]");
  const speeds = [...list.options].map((option) => Number(option.value));

  const set = (at: number) => {
    list.selectedIndex = Math.min(Math.max(at, 0), speeds.length - 1);
    player.audio.preservesPitch = true;
    player.audio.defaultPlaybackRate = player.audio.playbackRate = Number(list.value);
  };
  const choose = (at: number) => {
    set(at);
    write("localStorage", SPEED, list.value);
    player.say(`${list.selectedOptions[0]?.text ?? ""}`);
  };

  set(nearest(speeds, Number(read("localStorage", SPEED)) || 1));
  list.addEventListener("change", () => choose(list.selectedIndex));
  onKey("slower", () => choose(list.selectedIndex - 1));
  onKey("faster", () => choose(list.selectedIndex + 1));
}

/* The place of the nearest speed: an earlier version may have remembered one that is not offered. */
function nearest(speeds: number[], wanted: number): number {
  const distances = speeds.map((speed) => Math.abs(speed - wanted));
  return distances.indexOf(Math.min(...distances));
}
