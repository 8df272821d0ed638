/* Ages that count on: each from its moment, by the server's clock. */

const navigation = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
const arrived = navigation ? performance.timeOrigin + navigation.responseStart : Date.now();
const told = Number(document.querySelector<HTMLElement>("main")?.dataset["now"] ?? NaN) * 1000;
const ahead = Number.isFinite(told) ? told - arrived : 0; // how far the server's clock is ahead of ours

/* As the server writes it: 0:07, 12:30, 1:02:03. */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (figure: number): string => String(figure).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function count(): void {
  const now = (Date.now() + ahead) / 1000;
  for (const age of document.querySelectorAll<HTMLElement>(".running[data-since]")) {
    const text = clock(now - Number(age.dataset["since"]));
    if (age.textContent !== text) age.textContent = text;
  }
}

setInterval(count, 1000);
document.addEventListener("htmx:oobAfterSwap", count);
