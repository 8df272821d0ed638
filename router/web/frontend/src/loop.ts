/* The pointer on the waveform: a click seeks, and what is dragged over is repeated until Esc or the next click. */
import { onKey } from "./keys";
import { clock, type Player } from "./player";

const DRAG = 5; // pixels; less is a click
const SHORTEST = 0.3; // seconds

export function startLoop(player: Player): void {
  const { audio, wave } = player;
  const ribbon = player.part(".loop");
  const button = player.part("[data-loop]");
  let loop: { from: number; to: number } | null = null;
  let start: number | null = null; // of a repeat by keyboard
  let drag: { x: number; moved: boolean } | null = null;

  const secondsAt = (x: number) => {
    const { left, width } = wave.getBoundingClientRect();
    return Math.min(Math.max((x - left) / width, 0), 1) * player.seconds;
  };
  const show = (from: number, to: number) => {
    ribbon.hidden = false;
    ribbon.style.left = `${(100 * from) / player.seconds}%`;
    ribbon.style.width = `${(100 * (to - from)) / player.seconds}%`;
    button.hidden = false;
    player.part("[data-loop-text]").textContent = `${clock(from)} – ${clock(to)}`;
  };
  const end = () => {
    const had = loop !== null || start !== null;
    loop = start = null;
    ribbon.hidden = button.hidden = true;
    return had;
  };
  const repeat = (one: number, other: number) => {
    const [from, to] = [Math.min(one, other), Math.max(one, other)];
    start = null;
    if (to - from < SHORTEST) return void end();
    loop = { from, to };
    show(from, to);
    player.seek(from);
  };

  wave.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    drag = { x: event.clientX, moved: false };
    wave.setPointerCapture(event.pointerId);
  });
  wave.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag.moved ||= Math.abs(event.clientX - drag.x) > DRAG;
    if (!drag.moved) return;
    const ends = [secondsAt(drag.x), secondsAt(event.clientX)] as const;
    show(Math.min(...ends), Math.max(...ends));
  });
  wave.addEventListener("pointercancel", () => {
    drag = null;
    if (loop) show(loop.from, loop.to);
    else end();
  });
  wave.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { x, moved } = drag;
    drag = null;
    if (moved) return repeat(secondsAt(x), secondsAt(event.clientX));
    end();
    player.seek(secondsAt(event.clientX));
  });
  button.addEventListener("click", end);

  player.onTime(() => {
    if (loop && audio.currentTime >= loop.to) player.seek(loop.from);
  });
  audio.addEventListener("ended", () => {
    if (!loop) return;
    player.seek(loop.from);
    player.play();
  });
  onKey("end-repeat", end);
  onKey("repeat", () => {
    if (loop) return void end();
    if (start !== null) return repeat(start, audio.currentTime);
    start = audio.currentTime;
    show(start, start);
  });
}
