/* One visit on one page: it begins, gets its numbers, shows that it is alive, and leaves. */

import { addresses, route } from "./address";
import type { Configuration, Numbers, Pool } from "./configuration";
import { identity, learn, type Identity } from "./identity";
import { forget, keeps, numbers as shownBefore, refused, visitor } from "./keeping";
import { ALIVE_SECONDS, FIRST_ALIVE_MILLISECONDS, HOLD_SECONDS, LATE_MILLISECONDS } from "./limits";
import { LONGEST_ALIVE, LOOKS_FOR_IDS, MOST_FORMER, SHORTEST_ALIVE, SLOWEST, VISIT_PAUSE } from "./limits";
import { undisturbed } from "./quiet";
import { onRoute } from "./routes";
import { attempt } from "./scanning";
import { text, word, type Answer, type Refused, type Server } from "./server";
import { digitsOf } from "./spelling";

export interface Visit {
  id: string;
  code: string;
  mail: string;
  want(pool: Pool): Promise<void> | undefined;
  begin(): Promise<void>;
  consent(given?: boolean): Promise<void> | undefined;
  tell(what: string, body: object): void;
}

export function visit(
  configuration: Configuration,
  pools: Pool[],
  server: Server,
  parameters: Record<string, string>,
  changed: () => void,
  more: (path: string) => object, // to say with a sign of life
): Visit {
  const { landing, cut } = addresses(configuration);
  let consent = !configuration.consent && !refused();
  let withdrawn = false; // and the server has not heard it
  let first = true; // arrival of this page that says who the visitor is
  let arrived = false;
  let asking: Promise<void> | undefined;
  let pause = 0; // milliseconds between signs of life
  let hold = 0; // milliseconds; so long after a sign of life a number is the visitor's
  let misses = 0;
  let aliveAt = 0;
  let timer = 0;
  let sent: Identity = {};
  let path = "";
  const wanted = new Set<Pool>();
  const confirmed = new Set<string>(); // leases of which the server has heard that they are shown

  const held = (): Pool[] => pools.filter(({ lease }) => lease);
  const leases = (): string[] => held().map(({ lease }) => lease);
  const about = (what: string): string => `/api/v1/visits/${begun.id}/${what}`;
  const known = (): Identity => (consent ? identity() : {});

  /** Ask for all that is wanted, one request at a time. Never rejects. */
  function ask(): Promise<void> {
    if (document.hidden) return Promise.resolve(); // asked when it is seen
    asking = asking || turns();
    return asking;
  }

  async function turns(): Promise<void> {
    await null; // for what else is about to be wanted
    while ((!arrived || wanted.size) && (await turn()));
    asking = undefined;
    rest();
  }

  /** Whether there was an answer. What got none is asked with the next request, or by hand again. */
  async function turn(): Promise<boolean> {
    const now = [...wanted];
    const nothing = none(now);
    const ids = Object.keys(nothing);
    const at = Date.now();
    wanted.clear();
    try {
      const { numbers } = arrived && begun.id ? await request("numbers", { pools: ids }) : await arrive(ids);
      if (Date.now() - at > LATE_MILLISECONDS) await undisturbed();
      take({ ...nothing, ...numbers }, at); // what is left out is not for this visitor
      return true;
    } catch {
      for (const pool of now) (pool.asked = !pool.on_request) && wanted.add(pool);
      return false;
    }
  }

  async function arrive(pools: string[]): Promise<Answer> {
    arrived = true;
    sent = known();
    const url = landing(first, consent && configuration.consent && !visitor());
    path = url.replace(/^\w+:\/\/[^/]*|[?#].*/g, ""); // as the server reads it
    const answer = await server.ask(`/api/v1/sites/${configuration.site}/visits`, {
      url,
      referrer: cut(document.referrer) || "",
      ...(consent && { visitor_id: word(visitor()) || undefined, parameters, ...sent }),
      ...(consent && !keeps() && { keeps_nothing: true }),
      ...((withdrawn || refused()) && { withdrawn: true }),
      pools,
      consent,
    });
    withdrawn = false;
    begun.id = word(answer.visit_id);
    begun.code = text(answer.code);
    begun.mail = text(answer.mail);
    if (consent && word(answer.visitor_id)) visitor(word(answer.visitor_id));
    pause = Math.min(Math.max(+answer.alive_seconds! || ALIVE_SECONDS, SHORTEST_ALIVE), LONGEST_ALIVE) * 1000;
    hold = (+answer.hold_seconds! || HOLD_SECONDS) * 1000;
    aliveAt = Date.now();
    look();
    if (consent && first) for (const after of LOOKS_FOR_IDS) setTimeout(look, after);
    first = first && !consent;
    return answer;
  }

  /** Ask something in the visit's name, with all that is known of the visitor by now. */
  async function request(what: string, body: object): Promise<Answer> {
    const [before, ids] = [sent, known()];
    sent = { ...sent, ...ids };
    try {
      return await server.ask(about(what), { ...body, ...ids });
    } catch (error) {
      sent = before;
      throw error;
    }
  }

  const none = (of: Pool[]): Numbers => Object.fromEntries(of.map(({ id }) => [id, {}]));

  /** Numbers that the server gave when it was asked at that time. */
  function take(numbers: Numbers, at: number): void {
    for (const pool of pools) {
      const given = numbers[pool.id];
      const { lease_id, number, display, parts } = given || {};
      if (!given || (number && !/^\+\d{7,15}$/.test(number))) continue;
      pool.lease = word(lease_id);
      pool.until = at + hold;
      pool.former.push(pool.number);
      pool.number = number || "";
      pool.parts = parts;
      pool.display = display && digitsOf(display) === pool.number.slice(1) ? display : pool.number;
    }
    if (consent) {
      const before = shownBefore();
      const shown = new Set([...before, ...pools.map(({ number }) => number)].filter(Boolean));
      if (shown.size > before.length) shownBefore([...shown].slice(-MOST_FORMER).join());
    }
    changed();
    if (isUnheard()) setTimeout(() => isUnheard() && alive(), FIRST_ALIVE_MILLISECONDS);
  }

  /** The server takes back soon what it has not heard to be shown. */
  const isUnheard = (): boolean => leases().some((lease) => !confirmed.has(lease));

  /** A number about which the server was silent for longer than it holds it may be another visitor's by now. */
  function review(): void {
    const over = held().filter(({ until }) => Date.now() + pause >= until!);
    for (const pool of over) wanted.add(pool);
    if (over.length) take(none(over), 0);
  }

  function rest(): void {
    clearTimeout(timer);
    // a machine may sleep meanwhile: the clock is looked at more often than anything is due
    if (pause && !document.hidden) timer = setTimeout(tick, Math.min(due() - Date.now(), pause));
  }

  const due = (): number => aliveAt + pause * Math.min(2 ** misses, SLOWEST);

  function tick(): void {
    const now = Date.now();
    if (now >= due() || now < aliveAt) return void alive(); // or the clock was set back
    review();
    rest();
  }

  async function alive(): Promise<void> {
    if (asking) return asking.then(alive);
    const slept = Date.now() - aliveAt > VISIT_PAUSE;
    aliveAt = Date.now();
    try {
      if (slept) void again();
      else if (begun.id) await live(aliveAt);
    } catch (error) {
      misses++;
      if ((error as Refused).status === 404) return again();
    }
    review();
    rest();
  }

  async function live(at: number): Promise<void> {
    const { numbers } = await request("alive", signs());
    misses = 0;
    for (const pool of pools) pool.until = at + hold;
    if (Object.keys(numbers).length) take(numbers, at);
    if (wanted.size) void ask();
  }

  /** What a sign of life says besides the identifiers. */
  function signs(): object {
    const now = route();
    const body = { leases: leases(), ...(path !== now && { path: now }), ...more(now) };
    path = now;
    for (const lease of body.leases) confirmed.add(lease);
    return body;
  }

  /** Begin again: the visitor has agreed, or has slept, or the server does not know this visit any more. */
  function again(): Promise<void> {
    begun.id = "";
    arrived = false;
    for (const pool of pools) if (pool.asked) wanted.add(pool);
    return ask();
  }

  /** Look whether the page has learned more of the visitor. */
  function look(): void {
    if (!consent || !begun.id) return;
    attempt(learn, know);
    know();
  }

  let soon = 0;
  function know(): void {
    clearTimeout(soon);
    soon = setTimeout(() => hasNews() && alive(), 200);
  }

  const hasNews = (): boolean =>
    Object.entries(known()).some(([key, value]) => sent[key as keyof Identity] !== value);

  function awake(): void {
    look();
    void ask();
    rest();
    // what is not said now may never be: the visitor is at the dialler
    if (document.hidden && !gone && (hasNews() || isUnheard())) tell("alive", signs());
  }

  onRoute(() => {
    if (!arrived || path === route()) return false;
    void alive();
    return true;
  });
  let gone = false; // a page becomes hidden after it was left
  addEventListener("pageshow", ({ persisted }) => {
    gone = false;
    if (persisted) void alive();
  });
  addEventListener("pagehide", () => {
    gone = true;
    attempt(tell, "left", { leases: leases() });
  });
  addEventListener("online", () => {
    misses = 0;
    aliveAt -= pause;
    awake();
  });
  document.addEventListener("visibilitychange", awake);
  attempt(() => (window as unknown as { cookieStore: EventTarget }).cookieStore.addEventListener("change", look));

  function tell(what: string, body: object): void {
    if (!begun.id) return;
    const ids = known();
    // a request that a page leaves behind may be sent twice: it has a key
    server.tell(about(what), { ...body, ...ids, key: `${Math.random()}` });
    sent = { ...sent, ...ids };
  }

  const begun: Visit = {
    id: "",
    code: "",
    mail: "",
    want(pool) {
      if (pool.asked) return asking;
      pool.asked = true;
      wanted.add(pool);
      return ask();
    },
    begin: ask,
    consent(given = true) {
      if (given ? consent : refused()) return asking;
      if (!given) {
        tell("left", { leases: leases() });
        forget();
        sent = {};
      }
      withdrawn = !given;
      consent = given;
      refused(given ? "" : "1");
      return again();
    },
    tell,
  };
  return begun;
}
