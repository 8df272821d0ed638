/* Puts numbers into what the scanner finds, and the company's own back when a number is lost or the page is copied. */

import { chosen, type Parts, type Pool } from "./configuration";
import { MESSENGERS } from "./context";
import { hydration } from "./hydration";
import { ELEMENTS_AND_TEXTS, HYDRATION_LOOK, LARGEST, MOST_RULES } from "./limits";
import { alike, decoded, dialled, LABELLED, spoken, TEL, textsIn, textsOf, WATCHED, type Place } from "./places";
import { rulesFor, type Form } from "./rules";
import { attempt, isElement, scanner, UNREAD } from "./scanning";
import { digitsOf, first, partsOf, SEAM } from "./spelling";

const TYPED = "input,select,textarea";
const IGNORED = "[data-ringtrace-ignore]";
const EDITABLE = "[contenteditable]";
const CODE = "[data-ringtrace-code]";
const MAIL = "[data-ringtrace-mail]";

export interface Showing {
  refresh(): void; // after numbers changed
  giveBack(root: Node): void; // the company's own, where somebody is about to keep what is written there
  numberIn(href: string): string; // E.164 of the number of ours that a link dials, or empty
  unchanged(): boolean; // a number of the company's is where it cannot be replaced
  said(text: string, form?: Form): string; // the text with the visitor's number in place of the company's
}

export function showing(
  pools: Pool[],
  exclude: string,
  words: { code: string; mail: string },
  seen: (pool: Pool, element?: Element) => void,
): Showing {
  for (const pool of pools) pool.selector = valid(pool.selector);
  const ignored = `${IGNORED},${valid(exclude)}`;
  const fixed = `${UNREAD},${TYPED},${ignored}`;
  const untouched = `${fixed},${EDITABLE}`;
  const selectors = pools.map(({ selector }) => selector).join() || NOTHING;
  const marked = [TEL, LABELLED, CODE, MAIL, selectors].join();
  const written = new WeakMap<Place, string[]>(); // what the page says without us, and what it says since
  const poured = new WeakMap<Place, string[]>(); // the same of elements named by selector
  const rules = rulesFor(pools);
  const isSettled = hydration((element) => page.scan(element));

  const page = scanner({
    untouched: `${untouched},${MESSENGERS}`,
    whole: selectors,
    read(nodes, said) {
      const parent = nodes[0]!.parentNode;
      const holder = isElement(parent!) ? parent : (parent as ShadowRoot).host;
      show(nodes, said, nodes.map((node) => without(node)).join(SEAM), holder, "display");
    },
    meet(element) {
      if (!element.matches(marked)) return;
      if (element.matches(selectors) && mayCall(element)) select(element);
      for (const place of dialled(element))
        show([place], place.value, decoded(place, without(place)), element, "number");
      // what a visitor types is theirs, what the page says beside it is the page's
      for (const place of spoken(element))
        show([place], place.value, without(place), around(element), "display");
      if (words.code && element.matches(CODE) && isFree(element)) pour(element, words.code);
      if (words.mail && element.matches(MAIL) && isFree(element)) address(element, words.mail);
    },
    change(element, attribute) {
      if (attribute === "contenteditable" && !isFree(element)) giveBack(element);
      if (attribute === "ssr") setTimeout(page.scan, 2 * HYDRATION_LOOK, element); // an island is being drawn
    },
  });

  /** The element; of a field that is not to be left alone what is around it. */
  const around = (element: Element): Element =>
    element.matches(TYPED) && !element.matches(ignored) ? element.parentElement! : element;

  /** What a place says without us. */
  function without(place: Place, kept = written): string {
    const [own, since] = kept.get(place) || [];
    return (since === place.nodeValue ? own : place.nodeValue)!;
  }

  /** Write, and remember what is given back. */
  function write(places: Place[], shown: string[], own: string[]): void {
    places.forEach((place, at) => written.set(place, [own[at]!, shown[at]!]));
    page.write(places, shown);
  }

  /** The numbers in places that read as one: what they say now, and what they say without us. */
  function show(places: Place[], now: string, said: string, holder: Element, form: Form): void {
    const found = rules.texts(said, form, holder);
    if (!found || !mayCall(holder)) return;
    for (const pool of found.pools) seen(pool, holder);
    const own = found.own === said ? places.map((place) => without(place)) : found.own.split(SEAM);
    const shown = found.shown === said ? own : found.shown.split(SEAM);
    if (shown.join(SEAM) !== now) write(places, shown, own);
  }

  /** An element named by selector: its first number is the company's own there; without one it says ours instead. */
  function select(element: Element): void {
    const rivals = pools.filter(({ selector }) => element.matches(selector));
    for (const pool of rivals) seen(pool, element);
    if (element.getElementsByTagName("*")[LARGEST]) return;
    const pool = chosen(rivals);
    const alone = !element.childElementCount;
    const texts = (pool && alone ? textsIn : textsOf)(element).filter((text) => isFree(text.parentElement!));
    const places: Place[] = [...texts, ...dialled(element)];
    const before = places.map((place) => without(place, poured));
    const after = [...before];
    if (pool) {
      const number = partsOf(pool);
      const links = [...element.querySelectorAll(TEL)].filter(isFree).flatMap(dialled);
      learn([...before, ...links.map(({ value }) => value)].join(SEAM), number, rivals);
      const count = texts.length;
      const said = before.slice(0, count).join(SEAM);
      if (alone && !first(said, number)) after.splice(0, count, ...alike(texts, pool.display));
      for (let at = count; at < places.length; at++)
        if (!first(before[at]!, number)) after[at] = `tel:${pool.number}`;
    }
    places.forEach((place, at) => {
      poured.set(place, [before[at]!, after[at]!]);
      if (before[at] !== after[at]) written.set(place, [before[at]!, after[at]!]);
    });
    page.write(places, after);
  }

  function numberIn(text: string): string {
    const digits = digitsOf(text.replace(/%../g, ""));
    const pool = pools.find((one) => one.number && digits.includes(partsOf(one).national));
    return pool ? pool.number : "";
  }

  /** Take the first number for the company's own where these pools' elements are, if none that we know is there. */
  function learn(said: string, number: Parts, rivals: Pool[]): void {
    const found = first(said, number);
    if (!found || rules.knows(digitsOf(said), rivals) || numberIn(said) || rules.full > MOST_RULES) return;
    const { national } = found;
    for (const { replaces, selector } of rivals) replaces.push({ ...number, national, within: selector });
    rules.renew();
  }

  /** Whether an element is the page's to show, and ours to change. */
  function isFree(element: Element): boolean {
    if ((element as HTMLElement).isContentEditable) return false;
    if (element.ownerDocument.designMode === "on") return false;
    for (let at: Element | null | undefined = element; at; at = outside(at))
      if (at.closest(untouched)) return false;
    return isSettled(element);
  }

  /** Whether a number there is one to call. */
  const mayCall = (element: Element): boolean => !element.closest(MESSENGERS) && isFree(element);

  function pour(element: Element, text: string): void {
    const texts = textsIn(element);
    if (element.textContent !== text) keep(texts, alike(texts, text));
  }

  function address(element: Element, mail: string): void {
    const href = element.getAttributeNode("href");
    const text = element.textContent!.trim();
    if (!element.childElementCount && (!text || text.includes("@"))) pour(element, mail);
    if (href) keep([href], [href.value.replace(/^mailto:[^?]*/i, () => `mailto:${mail}`)]);
  }

  const keep = (places: Place[], shown: string[]): void => write(places, shown, places.map((place) => without(place)));

  function giveBack(root: Node): void {
    const iterator = document.createNodeIterator(root, ELEMENTS_AND_TEXTS);
    for (let node = iterator.nextNode(); node; node = iterator.nextNode()) {
      if (!isElement(node)) restore(node as Text, node.parentElement);
      else {
        if (node.shadowRoot) giveBack(node.shadowRoot);
        for (const place of node.attributes)
          if (written.has(place) || WATCHED.includes(place.name)) restore(place, node);
      }
    }
  }

  function restore(place: Place, holder: Element | null): void {
    const value = place.nodeValue!;
    const own = without(place);
    if (own !== value) return page.write([place], [own]);
    // what the page has copied of ours, and what was split since
    if (!/\d{2}/.test(value) || (holder && holder.closest(fixed))) return;
    const found = rules.texts(value, "number", undefined, true);
    if (found) page.write([place], [found.own]);
  }

  return {
    refresh() {
      rules.renew();
      page.scan();
    },
    giveBack,
    numberIn,
    unchanged() {
      const places: Place[] = [];
      const iterator = document.createNodeIterator(document, NodeFilter.SHOW_TEXT);
      for (let node = iterator.nextNode(); node; node = iterator.nextNode())
        if (/\d/.test(node.nodeValue!) && !node.parentElement!.matches(UNREAD))
          places.push(node as Text);
      const holder = (place: Place): Element =>
        (place as Attr).ownerElement || (place as Text).parentElement!;
      for (const { attributes } of document.querySelectorAll("input[value]:not([type=hidden])"))
        places.push(attributes.getNamedItem("value")!);
      const said = places.map(({ nodeValue }) => nodeValue).join(SEAM);
      return rules.left(said).some(({ from, to }) => {
        const ends = [from, to].map((end) => places[said.slice(0, end).split(SEAM).length - 1]!);
        return ends.every((place) => mayCall(around(holder(place))));
      });
    },
    said(text, form = "display") {
      const found = rules.texts(text, form);
      if (!found) return text;
      for (const pool of found.pools) seen(pool);
      return found.shown;
    },
  };
}

const NOTHING = "x-";

/** What an element's shadow root, or its frame, is in. */
const outside = (element: Element): Element | null | undefined => {
  const root = element.getRootNode();
  return (root as ShadowRoot).host || ((root as Document).defaultView || window).frameElement;
};

/** The selector, or one of nothing. */
function valid(selector: string): string {
  let found = NOTHING;
  attempt(() => {
    document.querySelector(selector);
    found = selector;
  });
  return found;
}
