/* Both sides equally loud, and the balance between them. Each side has a gain, a compressor and another gain.

   The audio element plays through them from the moment somebody wants it, never before: where the browser cannot do it,
   or has not started its sound, the recording plays as it is. */
import type { Player } from "./player";
import { read, rememberSwitch, write } from "./storage";

const BALANCE = "ringtrace.balance";
const AIM = -20; // dBFS of speech
const MOST = 15; // dB that a faint side is raised by
const OFF = { threshold: 0, knee: 0, ratio: 1 };
const ON = { threshold: -30, knee: 12, ratio: 6 };

interface Side {
  raise: GainNode;
  compressor: DynamicsCompressorNode;
  share: GainNode;
}

export function startSound(player: Player): void {
  const evened = player.part<HTMLInputElement>("[data-evened]");
  const balance = player.part<HTMLInputElement>("[data-balance]");
  const levels = (player.place.dataset["levels"] ?? "").split(" ").map(Number);
  let sides: Promise<Side[] | null> | null = null;

  const set = async () => {
    const shift = Number(balance.value);
    if (!evened.checked && shift === 0 && !sides) return;
    sides ??= connected(player.audio);
    (await sides)?.forEach((side, at) => {
      side.raise.gain.value = evened.checked ? gainFor(levels[at]) : 1;
      for (const [name, value] of Object.entries(evened.checked ? ON : OFF)) {
        side.compressor[name as keyof typeof ON].value = value;
      }
      side.share.gain.value = Math.min(1, at === 0 ? 1 - shift : 1 + shift);
    });
  };

  rememberSwitch(evened, "ringtrace.evened", () => void set());
  balance.value = read("localStorage", BALANCE) || "0";
  balance.addEventListener("input", () => {
    write("localStorage", BALANCE, balance.value);
    void set();
  });
  player.audio.addEventListener("play", () => void set());
}

function gainFor(level: number | undefined): number {
  return level ? 10 ** (Math.min(Math.max(AIM - level, -MOST), MOST) / 20) : 1;
}

/* The nodes of both sides; null where there are none, and the element then plays by itself. */
async function connected(audio: HTMLAudioElement): Promise<Side[] | null> {
  try {
    const context = new AudioContext();
    await started(context);
    const [splitter, merger] = [context.createChannelSplitter(2), context.createChannelMerger(2)];
    const sides = [0, 1].map((at) => {
      const side = {
        raise: context.createGain(),
        compressor: context.createDynamicsCompressor(),
        share: context.createGain(),
      };
      splitter.connect(side.raise, at);
      side.raise.connect(side.compressor).connect(side.share).connect(merger, 0, at);
      return side;
    });
    merger.connect(context.destination);
    context.createMediaElementSource(audio).connect(splitter);
    audio.addEventListener("play", () => void context.resume());
    return sides;
  } catch {
    return null;
  }
}

/* An element is silent behind a context that does not run; it runs once the reader has pressed something. */
async function started(context: AudioContext): Promise<void> {
  if (context.state === "running") return;
  await new Promise<void>((resolve) => {
    context.addEventListener("statechange", () => context.state === "running" && resolve());
    for (const name of ["pointerup", "keydown"]) document.addEventListener(name, () => void context.resume());
    void context.resume();
  });
}
