/* The player of one recording: it plays, seeks and shows the place; its other parts are in files of their own.

   It takes over a plain audio element, which stays for browsers where this script does not run. The sound is
   streamed by that element; only the stored waveform is fetched. */
import { onKey } from "./keys";
import { startLoop } from "./loop";
import { startMoments } from "./moments";
import { startSeries } from "./series";
import { startSkipping } from "./silence";
import { startSound } from "./sound";
import { startSpeed } from "./speed";
import { drawWave } from "./wave";

/* Take over every player that is not running yet. */
export function startPlayers(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-player]:not([data-running])")) {
    place.dataset["running"] = "";
    const player = new Player(place);
    for (const start of [startSpeed, startSound, startLoop, startSkipping, startMoments, startSeries]) start(player);
    void drawWave(player);
  }
}

export class Player {
  readonly audio: HTMLAudioElement;
  readonly wave: HTMLElement;
  silences: readonly (readonly [number, number])[] = []; // of both sides, in seconds
  private readonly button: HTMLButtonElement;
  private readonly names: { play: string; pause: string };

  constructor(readonly place: HTMLElement) {
    this.audio = this.part<HTMLAudioElement>("audio");
    this.wave = this.part(".wave");
    this.button = this.part<HTMLButtonElement>("[data-play]");
    this.names = { play: this.button.ariaLabel ?? "", pause: this.button.dataset["other"] ?? "" };
    this.audio.controls = false;
    for (const part of place.querySelectorAll<HTMLElement>("[data-script]")) part.hidden = false;
    this.listen();
    this.show();
  }

  part<Kind extends HTMLElement = HTMLElement>(selector: string): Kind {
    const found = this.place.querySelector<Kind>(selector);
    if (!found) throw new Error(`the player has no ${selector}`);
    return found;
  }

  get seconds(): number {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : Number(this.place.dataset["seconds"]) || 0;
  }

  seek(to: number): void {
    this.audio.currentTime = Math.min(Math.max(to, 0), this.seconds);
    this.show();
  }

  /* Some browsers refuse to play before the reader has pressed something: then say so. */
  play(): void {
    this.audio.play().catch((error: unknown) => {
      this.part("[data-refused]").hidden = !(error instanceof DOMException && error.name === "NotAllowedError");
    });
  }

  toggle(): void {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  say(text: string): void {
    this.part("[data-said]").textContent = text;
  }

  /* Call back as time goes on: with each picture while it plays, and where the tab is hidden with each report. */
  onTime(callback: () => void): void {
    const look = () => {
      callback();
      if (!this.audio.paused) requestAnimationFrame(look);
    };
    this.audio.addEventListener("playing", look);
    this.audio.addEventListener("timeupdate", callback);
  }

  private listen(): void {
    for (const name of ["timeupdate", "durationchange", "play", "pause", "seeked"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    this.audio.addEventListener("error", () => (this.part("[data-failed]").hidden = false));
    this.audio.addEventListener("loadedmetadata", () => (this.part("[data-failed]").hidden = true));
    this.audio.addEventListener("playing", () => (this.part("[data-refused]").hidden = true));
    this.button.addEventListener("click", () => this.toggle());
    for (const skip of this.place.querySelectorAll<HTMLElement>("[data-skip]")) {
      skip.addEventListener("click", () => this.move(Number(skip.dataset["skip"])));
    }
    this.wave.addEventListener("keydown", (event) => this.pressOnWave(event));
    this.listenToKeys();
  }

  private listenToKeys(): void {
    onKey("play", () => this.toggle());
    for (const by of [5, 10, 30] as const) {
      onKey(`back-${by}`, () => this.move(-by));
      onKey(`forward-${by}`, () => this.move(by));
    }
    onKey("tenth", (digit) => this.seek((this.seconds * Number(digit)) / 10));
  }

  private move(by: number): void {
    this.seek(this.audio.currentTime + by);
  }

  private pressOnWave(event: KeyboardEvent): void {
    if (event.key === "Home") this.seek(0);
    else if (event.key === "End") this.seek(this.seconds);
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
}

export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
