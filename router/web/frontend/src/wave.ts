/* The waveform of both sides, drawn from stored peaks. It only draws: the pointer is handled by the loop. */
import WaveSurfer from "wavesurfer.js";

import type { Player } from "./player";

interface Peaks {
  seconds: number | null;
  caller: number[];
  company: number[];
  silences: [number, number][] | null;
}

const SIDE = 56; // pixels of height for each side
const QUIET = 0.02; // of full scale
const SHORTEST = 2; // seconds

export async function drawWave(player: Player): Promise<void> {
  const address = player.place.dataset["peaks"] ?? "";
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) return; // without a picture the buttons still play
  const peaks = (await answer.json()) as Peaks;
  player.silences = peaks.silences ?? silencesIn(peaks, player.seconds);
  draw(player, [peaks.caller, peaks.company]);
}

/* Silences by the peaks alone, for recordings of an earlier version. */
function silencesIn(peaks: Peaks, seconds: number): [number, number][] {
  const step = seconds / (peaks.caller.length || 1);
  const found: [number, number][] = [];
  let from = 0;
  for (let at = 0; at <= peaks.caller.length; at++) {
    if (Math.max(peaks.caller[at] ?? 1, peaks.company[at] ?? 0) < QUIET) continue;
    if ((at - from) * step >= Math.max(SHORTEST, 2 * step)) found.push([from * step, at * step]);
    from = at + 1;
  }
  return found;
}

function draw(player: Player, sides: number[][]): void {
  const colours = getComputedStyle(player.place);
  const paint = (name: string) => colours.getPropertyValue(name).trim();
  const wave = WaveSurfer.create({
    container: player.wave,
    media: player.audio,
    peaks: sides.map((side) => (side.length ? side : [0, 0])),
    duration: player.seconds || 1,
    cspNonce: document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "",
    height: SIDE,
    normalize: false,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    barMinHeight: 1,
    cursorWidth: 2,
    cursorColor: paint("--text"),
    interact: false,
    splitChannels: ["caller", "company"].map((side) => ({
      waveColor: paint(`--${side}-quiet`),
      progressColor: paint(`--${side}`),
    })),
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    wave.destroy();
    if (player.place.isConnected) draw(player, sides);
  }, { once: true });
}
