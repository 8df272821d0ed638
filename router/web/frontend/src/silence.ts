/* Skips what both sides are silent in, if the reader wants it. */
import type { Player } from "./player";
import { rememberSwitch } from "./storage";

const EDGE = 0.3; // seconds of a silence that are heard at either end

export function startSkipping(player: Player): void {
  const { audio } = player;
  const wanted = player.part<HTMLInputElement>("[data-skip-silence]");
  rememberSwitch(wanted, "ringtrace.skip-silence");

  player.onTime(() => {
    if (!wanted.checked || audio.paused || audio.seeking) return;
    const now = audio.currentTime;
    const silence = player.silences.find(([from, to]) => from + EDGE <= now && now < to - 2 * EDGE);
    if (silence) player.seek(silence[1] - EDGE);
  });
}
