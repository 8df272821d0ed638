/* What a company's page carries: shows each visitor a number of their own, and never harms the page. */

import { navigation } from "./address";
import type { Configuration, Pool } from "./configuration";
import { parameters } from "./identity";
import { interest } from "./interest";
import { numbers } from "./keeping";
import { TOUCHED_MILLISECONDS } from "./limits";
import { dialled, TEL } from "./places";
import { attempt, hear } from "./scanning";
import { serverAt } from "./server";
import { showing } from "./showing";
import { visit } from "./visit";

declare const ringtraceConfiguration: Configuration; // an argument of the function around the bundle

/** What the browser says of a page that is about to go elsewhere. */
interface Dialling extends Event {
  destination: { url: string };
  userInitiated: boolean;
}

interface Global {
  ringtrace?: { consent?: unknown };
}

/** Our server, and the elements that brought this script: it may be a module, combined with others or inlined. */
function origin({ site, base }: Configuration): [string, HTMLElement[]] {
  const file = `/site/${site}.js`;
  const own = document.currentScript as HTMLScriptElement | null;
  const lines = [...document.scripts].filter((one) => one !== own && (one.src + one.text).includes(file));
  const elements = own ? [...lines, own] : lines;
  const address = new RegExp(`["']?([^"'\\s()]*)${file.replace(".", "\\.")}`);
  const texts = [own && own.src, ...lines.map(({ src, text }) => src || text)];
  const found = texts.map((text) => address.exec(text || "")).find(Boolean);
  return [found ? found[1]! : base, elements];
}

function start(configuration: Configuration): void {
  const former = numbers();
  const pools = configuration.pools.map(
    (pool): Pool => ({ ...pool, number: "", display: "", lease: "", former: [...former] }),
  );
  let signs = 0;
  let [base, elements]: [string, HTMLElement[]] = [configuration.base, []];
  attempt(() => ([base, elements] = origin(configuration)));
  const begun = visit(configuration, pools, serverAt(base), parameters(elements), () => {
    page.refresh();
    announce();
  }, missed);
  const show = (wanted: Pool | string = ""): Promise<unknown> =>
    Promise.all(pools.filter((pool) => !wanted || pool === wanted || pool.id === wanted).map(begun.want));
  const watch = interest(show);
  const page = showing(pools, configuration.exclude, begun, (pool, element) => {
    if (pool.asked) return;
    if (!pool.on_request) void begun.want(pool);
    else if (element) watch(element, pool);
  });

  hear("click", (event) => dial(event.composedPath()));
  hear("submit", submitted);
  // a copy of the page is kept, or printed: it must not say this visitor's number to the next reader
  for (const name of ["beforeprint", "htmx:beforeHistorySave"])
    addEventListener(name, () => {
      attempt(page.giveBack, document);
      if (name !== "beforeprint") setTimeout(page.refresh);
    });
  addEventListener("afterprint", page.refresh);
  let designed = false;
  for (const name of ["pointerdown", "focusin", "beforeinput"])
    hear(name, () => {
      const before = designed;
      designed = document.designMode === "on";
      if (designed && !before) page.giveBack(document);
    });

  function dial(path: EventTarget[]): void {
    const links = (path as Element[]).filter((one) => one.nodeType === 1 && one.matches(TEL));
    const number = links.flatMap(dialled).map(({ value }) => page.numberIn(value)).find(Boolean);
    if (number) tap(number);
  }

  let tappedAt = 0;
  function tap(number: string): void {
    tappedAt = Date.now();
    begun.tell("tap", { number });
  }

  // scripts of the page's that dial do it with the number that is shown
  if (navigation) navigation.addEventListener("navigate", (event) => attempt(dialledByScript, event as Dialling));

  function dialledByScript(event: Dialling): void {
    const url = decodeURIComponent(event.destination.url);
    if (event.userInitiated || !/^(?:tel|callto):/i.test(url)) return;
    const shown = page.said(url, "number");
    const number = page.numberIn(shown);
    if (shown !== url) {
      event.preventDefault();
      location.href = shown;
    } else if (number && Date.now() - tappedAt > TOUCHED_MILLISECONDS) tap(number);
  }

  function submitted({ target }: Event): void {
    const form = target as Element;
    dial([form]);
    if (form.matches("[data-ringtrace-form]"))
      form.querySelectorAll<HTMLInputElement>("input[type=tel]").forEach(({ value }) => leave(value));
  }

  /** Once, and not at once: where a number of the company's cannot be replaced, for doctor. */
  function missed(path: string): object {
    return signs++ === 1 && page.unchanged() ? { unchanged: path } : {};
  }

  function leave(phone: string): void {
    if (phone) begun.tell("form", { phone: String(phone).slice(0, 40) });
  }

  /** The number of a pool, or a text with the visitor's numbers in it; it asks for them where it has to. */
  function number(wanted: string): string {
    const pool = pools.find(({ id }) => id === wanted);
    if (!pool) return page.said(String(wanted));
    if (!pool.on_request) void begun.want(pool);
    return pool.display;
  }

  (window as Global).ringtrace = Object.freeze({
    consent: begun.consent,
    show: (pool?: string) => show(pool).then(() => undefined),
    form: (phone: string) => attempt(leave, phone),
    number,
    get code() {
      return begun.code;
    },
    get visit() {
      return begun.id;
    },
  });
  announce();
  page.refresh();
  const ready = (): void => void begun.begin();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
}

// old libraries have an Event of their own
const announce = (): void => void dispatchEvent(new CustomEvent("ringtrace"));

// an element with this id would also be a property of the window
const { ringtrace } = window as Global;
if (!ringtrace || !ringtrace.consent) attempt(start, ringtraceConfiguration);
