/* Tags and comments at the moment that is played, and the tags' digits. */
import { onKey } from "./keys";

const sound = (): HTMLAudioElement | null => document.querySelector<HTMLAudioElement>("#player audio");

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = (event as CustomEvent<{ elt: Element; parameters: Record<string, string> }>).detail;
  const here = elt.closest("[data-moments]")?.querySelector<HTMLInputElement>("input[name=here]");
  const audio = sound();
  if (here?.checked && audio?.currentTime) parameters["at_seconds"] = audio.currentTime.toFixed(1);
});

/* Only a call that can be heard has moments. */
function offer(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-heard]")) part.hidden = !sound();
}

document.addEventListener("htmx:load", offer);
document.addEventListener("htmx:oobAfterSwap", offer);
offer();

onKey("tag-digit", (digit) => {
  const button = document.querySelector<HTMLElement>(`[data-digit="${digit}"]`);
  button?.click();
  return button !== null;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !(event.target instanceof HTMLTextAreaElement)) return;
  const { form } = event.target;
  form?.requestSubmit();
  if (form?.checkValidity()) event.target.blur(); // the next key is a command again
});
