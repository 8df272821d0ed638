/* The keys of the pages, in one table.

   A key acts wherever the focus is, except in text fields and together with Ctrl, Alt or Meta. A button or list keeps
   Space and the arrows only while it was focused by keyboard. Letters and brackets are also found by their place on the
   keyboard, because a Cyrillic layout types others there.

   A command is done by its handler; without one, by the element with `data-key`: a field is focused, anything else is
   clicked. The page's dialog names the commands, and the keys are filled in from here. */

interface Key {
  command: string;
  keys: readonly string[];
  shift?: boolean;
  repeats?: boolean; // while the key is held down
}

export const KEYS = [
  { command: "play", keys: [" ", "k"] },
  { command: "back-10", keys: ["j"], repeats: true },
  { command: "forward-10", keys: ["l"], repeats: true },
  { command: "back-5", keys: ["ArrowLeft"], repeats: true },
  { command: "forward-5", keys: ["ArrowRight"], repeats: true },
  { command: "back-30", keys: ["ArrowLeft"], shift: true, repeats: true },
  { command: "forward-30", keys: ["ArrowRight"], shift: true, repeats: true },
  { command: "answer", keys: [..."012345"] },
  { command: "question-back", keys: ["ArrowUp"], repeats: true },
  { command: "question-on", keys: ["ArrowDown"], repeats: true },
  { command: "tag-digit", keys: [..."123456789"] },
  { command: "tenth", keys: [..."0123456789"] },
  { command: "slower", keys: ["["], repeats: true },
  { command: "faster", keys: ["]"], repeats: true },
  { command: "repeat", keys: ["a"] },
  { command: "end-repeat", keys: ["Escape"] },
  { command: "copy-link", keys: ["m"] },
  { command: "next", keys: ["n"] },
  { command: "previous", keys: ["p"] },
  { command: "tag", keys: ["t"] },
  { command: "comment", keys: ["c"] },
  { command: "reviewed", keys: ["h"] },
  { command: "score", keys: ["s"] },
  { command: "mark", keys: ["x"] },
  { command: "search", keys: ["/"] },
  { command: "help", keys: ["?"] },
] as const satisfies readonly Key[];

export type Command = (typeof KEYS)[number]["command"];
type Handler = (key: string) => boolean | void; // false: there was nothing to do

const FIELDS = ["checkbox", "radio", "range", "button", "submit", "reset", "file", "color"];
const TYPED = `input${FIELDS.map((type) => `:not([type=${type}])`).join("")}, textarea, audio[controls],
  [contenteditable]:not([contenteditable=false])`;
const PRESSED = "button, summary, select, input, [role=button]"; // by Space
const STEPPED = "select, input"; // by arrows
const PLACES: Record<string, string> = { BracketLeft: "[", BracketRight: "]" };
const NAMES: Record<string, string> = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

const handlers = new Map<Command, Handler>();
let pointed = false; // the last thing pressed was the pointer
let byKeyboard = false; // what has the focus got it so
let spaceTaken = false;

/* Let this handler do a command; it takes the place of an earlier one. */
export function onKey(command: Command, handler: Handler): void {
  handlers.set(command, handler);
}

document.addEventListener("pointerdown", () => ((pointed = true), (byKeyboard = false)), true);
document.addEventListener("focusin", () => (byKeyboard = !pointed));
document.addEventListener("keydown", () => (pointed = false), true);
document.addEventListener("keydown", (event) => {
  const key = keyOf(event);
  spaceTaken = isOurs(event, key) && isDone(event, key);
  if (spaceTaken) event.preventDefault();
});
// Esc leaves a text field, whose keys are no commands; a search field is emptied first. So does Enter in a search.
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLElement) || !field.matches(TYPED) || field.closest("dialog") || event.isComposing) return;
  const search = field instanceof HTMLInputElement && field.type === "search";
  if (event.key === "Escape" && !(search && field.value)) field.blur();
  if (event.key !== "Enter" || !search || field.form?.id !== "filters") return;
  event.preventDefault();
  field.form.requestSubmit();
  field.blur();
});
// where Space presses a button when it is let go
document.addEventListener("keyup", (event) => {
  if (event.key === " " && spaceTaken) event.preventDefault();
});

function keyOf(event: KeyboardEvent): string {
  if (event.key.length > 1) return event.key;
  if (/^[ -~]$/.test(event.key)) return event.key.toLowerCase();
  return /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase() ?? PLACES[event.code] ?? event.key;
}

function isOurs(event: KeyboardEvent, key: string): boolean {
  const typesBracket = event.getModifierState("AltGraph"); // as Ctrl and Alt do on some keyboards
  if (event.defaultPrevented || event.isComposing || event.metaKey) return false;
  if ((event.ctrlKey || event.altKey) && !typesBracket) return false;
  const at = event.target instanceof Element ? event.target : document.body;
  if (at.closest(TYPED)) return false;
  const open = document.querySelector<HTMLDialogElement>("dialog[open]");
  if (open) {
    if (key === "?") open.close();
    return false;
  }
  if (!byKeyboard) return true;
  return !at.matches(key === " " ? PRESSED : key.startsWith("Arrow") ? STEPPED : ":not(*)");
}

function isDone(event: KeyboardEvent, key: string): boolean {
  const shifted = key.length > 1 || /[a-z ]/.test(key); // a sign has its own key with or without Shift
  const entries = (KEYS as readonly Key[]).filter(
    ({ keys, shift }) => keys.includes(key) && (!shifted || event.shiftKey === (shift ?? false)),
  );
  // a digit is a tag's where there is such a tag
  return entries.some(({ command, repeats }) => (event.repeat && !repeats) || act(command as Command, key));
}

function act(command: Command, key: string): boolean {
  const handler = handlers.get(command);
  if (handler) return handler(key) !== false;
  const target = document.querySelector<HTMLElement>(`[data-key="${command}"]`);
  if (!target) return false;
  if (target.matches("input, textarea, select")) {
    target.scrollIntoView({ block: "nearest" });
    target.focus({ preventScroll: true });
  } else target.click();
  return true;
}

/* The dialog of all keys that do something on this page. */
function showHelp(): boolean {
  const dialog = document.querySelector<HTMLDialogElement>("#all-keys");
  if (!dialog) return false;
  for (const row of dialog.querySelectorAll<HTMLElement>("[data-command]")) {
    const command = row.dataset["command"] as Command;
    const entry = (KEYS as readonly Key[]).find((one) => one.command === command);
    row.hidden = !entry || !(handlers.has(command) || document.querySelector(`[data-key="${command}"]`));
    if (entry) row.querySelector("dt")?.replaceChildren(...caps(entry, dialog.dataset["space"] ?? ""));
  }
  dialog.showModal();
  return true;
}

function caps(entry: Key, space: string): Node[] {
  const { keys, shift } = entry;
  const shown = keys.length > 2 ? [`${keys[0]} … ${keys.at(-1)}`] : keys;
  return shown.map((key) => {
    const cap = document.createElement("kbd");
    cap.textContent = (shift ? "⇧ " : "") + (key === " " ? space : (NAMES[key] ?? key.toUpperCase()));
    return cap;
  });
}

onKey("help", showHelp);
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-all-keys]")) showHelp();
});
