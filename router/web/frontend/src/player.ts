/* The player of one recording: both sides drawn, the place in it shown and changed by pointer and keyboard.

   It takes over a plain audio element, which stays for browsers where this script does not run. The sound is
   streamed by that element; only the stored waveform is fetched here. */
import WaveSurfer from "wavesurfer.js";

import { read, write } from "./storage";

interface Peaks {
  seconds: number | null;
  caller: number[];
  company: number[];
}

const SKIP = 5; // seconds
const SPEED = "ringtrace.speed"; // the name under which the browser remembers it
const SIDE = 56; // pixels of height for each side

/* Take over every player that is not running yet. */
export function startPlayers(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-player]:not([data-running])")) {
    place.dataset["running"] = "";
    new Player(place);
  }
}

class Player {
  private readonly place: HTMLElement;
  private readonly audio: HTMLAudioElement;
  private readonly wave: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly names: { play: string; pause: string };

  constructor(place: HTMLElement) {
    this.place = place;
    this.audio = this.part<HTMLAudioElement>("audio");
    this.wave = this.part(".wave");
    this.button = this.part<HTMLButtonElement>("[data-play]");
    this.names = { play: this.button.ariaLabel ?? "", pause: this.button.dataset["other"] ?? "" };
    this.audio.controls = false;
    for (const part of place.querySelectorAll<HTMLElement>(".stage, .controls, .keys")) part.hidden = false;
    this.listen();
    this.show();
    void this.draw();
  }

  private part<Kind extends HTMLElement = HTMLElement>(selector: string): Kind {
    const found = this.place.querySelector<Kind>(selector);
    if (!found) throw new Error(`the player has no ${selector}`);
    return found;
  }

  private get seconds(): number {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : Number(this.place.dataset["seconds"]) || 0;
  }

  private listen(): void {
    for (const name of ["timeupdate", "durationchange", "play", "pause", "seeked"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    this.audio.addEventListener("error", () => (this.part("[data-failed]").hidden = false));
    this.audio.addEventListener("loadedmetadata", () => (this.part("[data-failed]").hidden = true));
    this.button.addEventListener("click", () => this.toggle());
    for (const skip of this.place.querySelectorAll<HTMLElement>("[data-skip]")) {
      skip.addEventListener("click", () => this.move(Number(skip.dataset["skip"])));
    }
    this.listenToSpeed();
    this.place.addEventListener("click", (event) => this.freeKeys(event));
    this.wave.addEventListener("keydown", (event) => this.pressOnWave(event));
    document.addEventListener("keydown", (event) => this.pressAnywhere(event));
  }

  private listenToSpeed(): void {
    const speed = this.part<HTMLSelectElement>("[data-speed]");
    const remembered = read("localStorage", SPEED);
    if ([...speed.options].some((option) => option.value === remembered)) speed.value = remembered;
    this.audio.playbackRate = Number(speed.value);
    speed.addEventListener("change", () => {
      this.audio.playbackRate = Number(speed.value);
      write("localStorage", SPEED, speed.value);
      this.wave.focus({ preventScroll: true }); // the list would take the next keys for itself
    });
  }

  /* A button that was clicked with the pointer gives the keys back to the player; one pressed by keyboard keeps them. */
  private freeKeys(event: MouseEvent): void {
    const pressed = event.target instanceof Element ? event.target.closest("button") : null;
    if (pressed && event.detail > 0) this.wave.focus({ preventScroll: true });
  }

  private toggle(): void {
    if (this.audio.paused) this.audio.play().catch(() => undefined); // the error event says why
    else this.audio.pause();
  }

  private move(by: number): void {
    this.seek(this.audio.currentTime + by);
  }

  private seek(to: number): void {
    this.audio.currentTime = Math.min(Math.max(to, 0), this.seconds);
  }

  private pressOnWave(event: KeyboardEvent): void {
    if (event.key === "Home") this.seek(0);
    else if (event.key === "End") this.seek(this.seconds);
    else return;
    event.preventDefault();
  }

  private pressAnywhere(event: KeyboardEvent): void {
    if (!this.place.isConnected || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = event.target instanceof HTMLElement ? event.target : null;
    if (at?.closest("input, select, textarea, audio, [contenteditable]")) return;
    if (event.key === " ") {
      if (at?.closest("button, a, summary")) return; // Space presses what has the focus
      this.toggle();
    }
    else if (event.key === "ArrowLeft") this.move(-SKIP);
    else if (event.key === "ArrowRight") this.move(SKIP);
    else return;
    event.preventDefault();
  }

  private show(): void {
    const { currentTime, paused } = this.audio;
    this.place.classList.toggle("playing", !paused);
    this.button.ariaLabel = this.button.title = paused ? this.names.play : this.names.pause;
    this.part("[data-position]").textContent = clock(currentTime);
    this.part("[data-length]").textContent = clock(this.seconds);
    this.wave.ariaValueMax = String(Math.round(this.seconds));
    this.wave.ariaValueNow = String(Math.round(currentTime));
    this.wave.ariaValueText = `${clock(currentTime)} / ${clock(this.seconds)}`;
  }

  private async draw(): Promise<void> {
    const address = this.place.dataset["peaks"] ?? "";
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return; // without a picture the buttons still play
    const peaks = (await answer.json()) as Peaks;
    const colours = getComputedStyle(this.place);
    const paint = (name: string) => colours.getPropertyValue(name).trim();
    const wave = WaveSurfer.create({
      container: this.wave,
      media: this.audio,
      peaks: [peaks.caller, peaks.company].map((side) => (side.length ? side : [0, 0])),
      duration: this.seconds || 1,
      cspNonce: document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "",
      height: SIDE,
      normalize: false,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      barMinHeight: 1,
      cursorWidth: 2,
      cursorColor: paint("--text"),
      dragToSeek: true,
      splitChannels: ["caller", "company"].map((side) => ({
        waveColor: paint(`--${side}-quiet`),
        progressColor: paint(`--${side}`),
      })),
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      wave.destroy();
      if (this.place.isConnected) void this.draw();
    }, { once: true });
  }
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
