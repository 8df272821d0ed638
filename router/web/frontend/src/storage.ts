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
