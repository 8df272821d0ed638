/* What every page of ours loads: htmx for the parts that change without reloading, and the player's waveform. */
import "htmx.org";
import "htmx-ext-sse";
import WaveSurfer from "wavesurfer.js";

for (const place of document.querySelectorAll<HTMLElement>("[data-waveform]")) {
  const url = place.dataset["waveform"];
  if (url) WaveSurfer.create({ container: place, url });
}
