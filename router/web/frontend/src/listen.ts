/* Listening in on a call: both sides of its recording as they are written, the caller on the left, two to three
   seconds late. Nothing of the listener is sent: no microphone is asked for. */
import { leaveIfLoggedOut } from "./shared";

const RATE = 8000; // samples a second
const LEAD = 0.5; // seconds that are kept ready, for a line that hesitates
const FRAME = 4; // bytes: a sample of each side
const TRIES = 5;
const PAUSE = 1000; // milliseconds between them

let going: AbortController | null = null;

class Sound {
  private readonly context = new AudioContext({ sampleRate: RATE });
  private rest = new Uint8Array();
  private at = 0;
  seconds = 0;

  play(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.rest.length + chunk.length);
    bytes.set(this.rest);
    bytes.set(chunk, this.rest.length);
    const frames = Math.floor(bytes.length / FRAME);
    this.rest = bytes.slice(frames * FRAME);
    if (!frames) return;
    const { context } = this;
    const source = new AudioBufferSourceNode(context, { buffer: samples(bytes, frames) });
    source.connect(context.destination);
    if (this.at < context.currentTime) this.at = context.currentTime + LEAD; // it ran dry
    source.start(this.at);
    this.at += frames / RATE;
    this.seconds += frames / RATE;
  }

  close(): void {
    void this.context.close();
  }
}

function samples(bytes: Uint8Array, frames: number): AudioBuffer {
  const buffer = new AudioBuffer({ numberOfChannels: 2, length: frames, sampleRate: RATE });
  const view = new DataView(bytes.buffer);
  for (const side of [0, 1]) {
    const data = buffer.getChannelData(side);
    for (let frame = 0; frame < frames; frame++) data[frame] = view.getInt16(frame * FRAME + side * 2, true) / 32768;
  }
  return buffer;
}

function bar(): HTMLElement | null {
  return document.getElementById("listening");
}

function show(text: string | undefined, name: string): void {
  const element = bar();
  const words = element?.querySelector("span");
  if (!element || !words) return;
  element.hidden = false;
  words.textContent = `${text ?? ""} ${name}`;
}

function stop(): void {
  going?.abort();
  going = null;
  const element = bar();
  if (element) element.hidden = true;
}

async function listen(address: string, name: string): Promise<void> {
  stop();
  const control = (going = new AbortController());
  const sound = new Sound();
  show(bar()?.dataset["on"], name);
  try {
    for (let failures = 0; failures < TRIES; failures++) {
      if (await follow(address, control.signal, sound)) break;
      if (control.signal.aborted) return;
      show(bar()?.dataset["lost"], name);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      show(bar()?.dataset["on"], name);
    }
    if (going === control) show(bar()?.dataset["over"], name);
  } finally {
    setTimeout(() => sound.close(), 4000); // what is still to be heard
  }
}

/* True when it is over: the call has ended, or it is refused. */
async function follow(address: string, signal: AbortSignal, sound: Sound): Promise<boolean> {
  try {
    const answer = await fetch(address, { method: "POST", headers: { "HX-Request": "true" }, signal });
    if (!answer.ok || !answer.body) return await refused(answer);
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      sound.play(value);
      const element = bar();
      if (element) element.dataset["seconds"] = sound.seconds.toFixed(1);
    }
  } catch {
    return false;
  }
}

async function refused(answer: Response): Promise<boolean> {
  if (answer.status === 401) void leaveIfLoggedOut();
  if (answer.status >= 500) return false;
  if (answer.status !== 409) {
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    const notice = template.content.querySelector(".notice");
    if (notice) document.getElementById("notice")?.replaceChildren(notice);
  }
  return true;
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest<HTMLElement>("[data-listen]");
  if (button) void listen(button.dataset["listen"] ?? "", button.dataset["name"] ?? "");
  else if (target.closest("#listening button")) stop();
});
