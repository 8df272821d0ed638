/* What every page of ours loads. The pages work without it; it makes them live, and the recordings pleasant. */
import "htmx-ext-sse";

import "./card";
import "./columns";
import "./clock";
import "./failures";
import "./here";
import "./keys";
import "./listen";
import "./live";
import "./page";
import "./place";
import "./rows";
import { drawMarks } from "./moments";
import "./selection";
import { startPlayers } from "./player";
import { startTranscripts } from "./transcript";

startPlayers();
document.addEventListener("htmx:load", startPlayers);
document.addEventListener("htmx:load", drawMarks);
startTranscripts();
document.addEventListener("htmx:load", startTranscripts);
