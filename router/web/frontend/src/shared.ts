/* One stream of events for all tabs: the tab that holds the lock keeps it open and tells the others what it heard. Each
   tab fetches what changed since the last change it has shown, so nothing is lost or shown twice, whoever reconnects. */

const NAME = "ringtrace-events";
const RETRY = 3000; // milliseconds

interface Tick {
  calls: number;
  missed: number;
  waiting: number;
  beat: number;
}
interface Changes {
  reached: number;
  events: { name: string; data: string }[];
}
type Said = { tick: Tick } | { lost: true } | { ask: true };

export const canShare = "locks" in navigator && "BroadcastChannel" in window;

const streams = new Set<SharedStream>();
let channel: BroadcastChannel | null = null;
let leading = false;
let last: Tick | null = null;

function start(): void {
  if (channel) return;
  channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => hear(data as Said);
  // held until this tab is closed; then another one gets it
  void navigator.locks.request(NAME, () => {
    leading = true;
    listen();
    return new Promise<never>(() => undefined);
  });
}

function listen(): void {
  const source = new EventSource("/events");
  source.addEventListener("tick", ({ data }) => say({ tick: JSON.parse(data as string) as Tick }));
  source.onerror = () => {
    say({ lost: true });
    if (source.readyState !== EventSource.CLOSED) return; // it connects again by itself
    void leaveIfLoggedOut();
    setTimeout(listen, RETRY);
  };
}

function say(said: Said): void {
  channel?.postMessage(said);
  hear(said);
}

function hear(said: Said): void {
  if ("ask" in said) {
    if (leading && last) channel?.postMessage({ tick: last });
    return;
  }
  if ("lost" in said) {
    last = null; // it may be old when someone asks
    for (const stream of streams) stream.lose();
    return;
  }
  last = said.tick;
  showWaiting(said.tick.waiting);
  for (const stream of streams) stream.take(said.tick);
}

function showWaiting(waiting: number): void {
  const badge = document.querySelector<HTMLElement>("#missed-count");
  const figure = badge?.querySelector(".figure");
  if (!badge || !figure) return;
  badge.hidden = waiting === 0;
  figure.textContent = String(waiting);
}

/* What the extension uses as an EventSource. */
export class SharedStream extends EventTarget {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  private seen: number; // the last change shown
  private shown = ""; // the state of a page that is fetched as a whole
  private wanted: Tick | null = null;
  private busy = false;
  private over = false;

  constructor(private readonly address: URL) {
    super();
    this.seen = Number(address.searchParams.get("since_revision") ?? 0);
    streams.add(this);
    document.addEventListener("visibilitychange", this.look);
    start();
    this.look();
  }

  get readyState(): number {
    return this.over ? EventSource.CLOSED : EventSource.OPEN;
  }

  close(): void {
    this.over = true;
    streams.delete(this);
    document.removeEventListener("visibilitychange", this.look);
  }

  lose(): void {
    this.onerror?.(new Event("error"));
  }

  take(tick: Tick): void {
    this.wanted = tick;
    if (!document.hidden) void this.catchUp();
  }

  private readonly look = (): void => {
    if (document.hidden) return;
    if (last) this.take(last);
    else channel?.postMessage({ ask: true });
  };

  private async catchUp(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let tick = this.wanted; tick && !this.over; tick = this.wanted === tick ? null : this.wanted) await this.show(tick);
      this.onopen?.(new Event("open"));
    } catch {
      this.lose();
      setTimeout(() => this.wanted && !document.hidden && void this.catchUp(), RETRY);
    } finally {
      this.busy = false;
    }
  }

  private async show(tick: Tick): Promise<void> {
    const { pathname } = this.address;
    if (pathname === "/missed/live") this.changed(tick.missed, String(tick.missed));
    else if (pathname === "/board/live") this.changed(-1, JSON.stringify(tick));
    // changes come in parts; a database that was restored is behind what was seen
    else while (!this.over && this.seen !== tick.calls && (await this.fetchChanges()) && this.seen < tick.calls);
  }

  private changed(revision: number, state: string): void {
    const known = this.shown || (revision === this.seen ? state : "");
    this.shown = state;
    if (known !== state) this.tell("changed", state);
  }

  /* Whether there may be more. */
  private async fetchChanges(): Promise<boolean> {
    const address = new URL(this.address);
    address.pathname += "/changes";
    address.searchParams.set("since_revision", String(this.seen));
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.status === 401) await leaveIfLoggedOut();
    if (!answer.ok) throw new Error(String(answer.status));
    const { reached, events } = (await answer.json()) as Changes;
    const before = this.seen;
    this.seen = reached;
    for (const { name, data } of this.over ? [] : events) {
      if (name === "stale") location.reload(); // too much has changed to be sent row by row
      else this.tell(name, data);
    }
    return reached > before;
  }

  private tell(name: string, data: string): void {
    this.dispatchEvent(new MessageEvent(name, { data }));
  }
}

/* Who is logged in no more is asked to log in, and comes back to this page. */
export async function leaveIfLoggedOut(): Promise<void> {
  const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.reload();
}
