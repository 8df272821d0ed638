/* What the browser remembers for us. Storage can be switched off: then nothing is kept, and nothing fails. */

type Place = "sessionStorage" | "localStorage";

/* The value kept under `name`, or an empty string. */
export function read(place: Place, name: string): string {
  try {
    return window[place].getItem(name) ?? "";
  } catch {
    return "";
  }
}

export function write(place: Place, name: string, value: string): void {
  try {
    window[place].setItem(name, value);
  } catch {
    return;
  }
}

/* A check box that stays as the reader leaves it, for all recordings. */
export function rememberSwitch(box: HTMLInputElement, name: string, changed: () => void = () => undefined): void {
  box.checked = read("localStorage", name) === "on";
  box.addEventListener("change", () => {
    write("localStorage", name, box.checked ? "on" : "off");
    changed();
  });
}
