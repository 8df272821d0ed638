/* The score card on a call's page: answered by digits while a question has the focus, saved at once. The player is
   never touched, so the recording plays on. */
import { onKey } from "./keys";
import { clock } from "./player";

document.documentElement.classList.add("scripted");

const questions = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[data-questions] > div")];
const current = (): HTMLElement | null => document.activeElement?.closest<HTMLElement>("[data-questions] > div") ?? null;
const pressed = (question: Element) => question.querySelector("[data-answer][aria-pressed=true]");

function show(element: HTMLElement | null | undefined): void {
  element?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: "nearest" });
}

/* The next question without an answer, or the button that submits the score. */
function goOn(after: HTMLElement | null = null): void {
  const all = questions();
  const start = after ? all.indexOf(after) + 1 : 0;
  const open = [...all.slice(start), ...all.slice(0, start)].find((one) => !pressed(one));
  show(open ?? document.querySelector<HTMLElement>("[data-submit]"));
}

let beginning = false; // the card appears as soon as the server has begun it

function step(by: number): boolean {
  const all = questions();
  const question = current();
  if (!question) {
    if (by > 0 || !document.activeElement?.matches("[data-submit]")) return false;
    show(all.at(-1));
    return true;
  }
  show(all[all.indexOf(question) + by] ?? (by > 0 ? document.querySelector<HTMLElement>("[data-submit]") : question));
  return true;
}

// other pages leave these keys as they are
if (document.querySelector("#score")) {
  onKey("score", () => {
    const begin = document.querySelector<HTMLElement>("[data-begin]");
    if (begin) {
      beginning = true;
      begin.click();
    } else if (!questions().length) return false;
    else if (current() || document.activeElement?.matches("[data-submit]")) (document.activeElement as HTMLElement).blur();
    else goOn();
    return true;
  });

  onKey("answer", (digit) => {
    const question = current();
    const button = question?.querySelector<HTMLElement>(`[data-answer="${digit}"]`);
    if (!question) return false;
    button?.click();
    if (button) goOn(question);
    return true;
  });

  onKey("question-on", () => step(1));
  onKey("question-back", () => step(-1));

  onKey("comment", () => {
    const question = current();
    question?.querySelector("details")?.setAttribute("open", "");
    const field = question?.querySelector<HTMLElement>("textarea") ?? document.querySelector<HTMLElement>("[data-key=comment]");
    show(field);
    return Boolean(field);
  });
}

/* An answer is shown at once, and taken back if it could not be saved. */
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-answer]") : null;
  if (button) press(button.parentElement, button);
});

function press(form: Element | null, chosen: Element | null): void {
  for (const button of form?.querySelectorAll("[data-answer]") ?? []) button.setAttribute("aria-pressed", String(button === chosen));
}

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = (event as CustomEvent).detail;
  if (elt.matches(".answers")) {
    if (successful) elt.dataset["kept"] = requestConfig.parameters["value"] ?? "";
    else press(elt, elt.querySelector(`[value="${CSS.escape(elt.dataset["kept"] ?? "")}"]`));
  }
  if (elt.matches(".remark")) elt.querySelector("[data-saved]").hidden = !successful;
});

/* A comment belongs to the moment at which it was begun. */
document.addEventListener("input", (event) => {
  const form = event.target instanceof HTMLTextAreaElement ? event.target.closest<HTMLElement>(".remark") : null;
  const at = form?.querySelector<HTMLInputElement>("[name=at_seconds]");
  const seconds = document.querySelector<HTMLAudioElement>("#player audio")?.currentTime;
  const link = form?.querySelector<HTMLAnchorElement>("[data-moment]");
  if (!form || !at || !link) return;
  form.querySelector<HTMLElement>("[data-saved]")!.hidden = true;
  if (at.value || !seconds) return;
  at.value = seconds.toFixed(1);
  link.href = `?t=${at.value}`;
  link.textContent = `▶ ${clock(seconds)}`;
  link.hidden = false;
});

/* Ctrl and Enter, or Esc, lead back from a comment to its question. */
document.addEventListener("keydown", (event) => {
  const field = event.target instanceof HTMLTextAreaElement ? event.target : null;
  const sent = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (field?.closest(".remark") && (sent || event.key === "Escape")) show(field.closest<HTMLElement>("[data-questions] > div"));
});

document.addEventListener("htmx:afterSettle", () => {
  if (!beginning || !questions().length) return;
  beginning = false;
  goOn();
});

/* The editor adds up the weights while they are typed. */
document.addEventListener("input", (event) => {
  const form = event.target instanceof Element ? event.target.closest("[data-weights]") : null;
  const sum = form?.querySelector("[data-sum]");
  const weights = form?.querySelectorAll<HTMLInputElement>("[name=weight]") ?? [];
  if (sum) sum.textContent = String([...weights].reduce((all, { value }) => all + Number(value), 0));
});
