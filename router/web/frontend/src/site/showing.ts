/* Puts numbers into what the scanner finds, and the company's own back when a number is lost. */

import { chosen, type Parts, type Pool } from "./configuration";
import { LARGEST, MOST_RULES } from "./limits";
import { hrefOf, poured, TEL, textsIn, textsOf, type Place } from "./places";
import { attempt, scanner, UNREAD } from "./scanning";
import {
  digitsOf,
  edited,
  find,
  first,
  nationalOf,
  partsOf,
  respelled,
  SEAM,
  spellingsOf,
  type Edit,
} from "./spelling";

const UNTOUCHED = `${UNREAD},input,select,[contenteditable],[data-ringtrace-ignore]`;
const CODE = "[data-ringtrace-code]";
const MAIL = "[data-ringtrace-mail]";

/** One number that may stand on the page and is not the one to be shown. */
interface Rule {
  own: Parts; // as the company's own number is spelled
  looked: string; // what is looked for, national
  spellings: RegExp;
}

export interface Showing {
  refresh(): void; // after numbers changed
  numberIn(href: string): string; // E.164 of the number of ours that a link dials, or empty
}

export function showing(
  pools: Pool[],
  exclude: string,
  words: { code: string; mail: string },
  seen: (pool: Pool, element: Element) => void,
): Showing {
  for (const pool of pools) pool.selector = valid(pool.selector);
  const untouched = `${UNTOUCHED},${valid(exclude)}`;
  const selectors = pools.map(({ selector }) => selector).join() || NOTHING;
  const marked = [TEL, CODE, MAIL, selectors].join();
  const origins = new WeakMap<Node, Parts[]>(); // which of the company's numbers stood there, in order
  const written = new WeakMap<Place, string[]>(); // what was there before, and what is since
  let rules: Rule[] = [];

  const page = scanner(
    untouched,
    (nodes, said) => {
      const parent = nodes[0]!.parentNode;
      const holder = parent instanceof ShadowRoot ? parent.host : (parent as Element);
      const edits = editsOf(said, nodes[0]!, holder, "display");
      if (edits.length) page.write(nodes, edits.reduceRight(edited, said).split(SEAM));
    },
    (element) => {
      if (!element.matches(marked) || !isFree(element)) return;
      if (element.matches(selectors)) select(element);
      if (element.matches(TEL)) link(element);
      if (words.code && element.matches(CODE)) pour(element, words.code);
      if (words.mail && element.matches(MAIL)) address(element, words.mail);
    },
  );

  /** The pools that stand in for a company's number, there or anywhere. */
  const rivalsFor = (own: Parts, place?: Element): Pool[] =>
    pools.filter(({ replaces }) =>
      replaces.some(
        ({ country, national, within }) =>
          country === own.country && national === own.national && (!within || !place || place.closest(within)),
      ),
    );

  function editsOf(text: string, place: Node, holder: Element, form: "display" | "number"): Edit[] {
    const digits = digitsOf(text);
    const found = rules
      .filter(({ looked }) => digits.includes(looked))
      .flatMap(({ own, looked, spellings }) => find(text, spellings, looked.length).map((match) => ({ ...match, own })))
      .filter(({ own }) => rivalsFor(own, holder).length)
      .sort((one, other) => one.from - other.from);
    if (!found.length || !isFree(holder)) return [];
    const stood = origins.get(place) || [];
    origins.set(place, stood);
    let end = 0;
    let count = 0;
    return found.flatMap(({ from, to, national, own }) => {
      if (from < end) return [];
      end = to;
      if (national === own.national) stood[count] = own;
      const back = stood[count++] || own;
      const rivals = rivalsFor(back, holder);
      for (const pool of rivals) seen(pool, holder);
      const pool = chosen(rivals);
      const goal = pool ? nationalOf(pool.number, back.country) : back.national;
      if (goal === national) return [];
      if (goal.length === national.length) return [respelled(text, { from, to }, goal)];
      // another length or country: the whole number in place of whatever stood there
      const whole = pool ? pool[form] : `+${back.country}${back.national}`;
      const seams = text.slice(from, to).replace(/[^\0]/g, "");
      return [{ from, to, text: whole.slice(text[from - 1] === "+" ? 1 : 0) + seams }];
    });
  }

  /** An element named by selector: its first number is the company's own there; without one it says ours instead. */
  function select(element: Element): void {
    const rivals = pools.filter(({ selector }) => element.matches(selector));
    for (const pool of rivals) seen(pool, element);
    if (element.getElementsByTagName("*")[LARGEST]) return;
    const pool = chosen(rivals);
    const alone = !element.childElementCount;
    const texts = (pool && alone ? textsIn : textsOf)(element).filter((text) => isFree(text.parentElement!));
    const places: Place[] = element.matches(TEL) ? [...texts, hrefOf(element)] : texts;
    const before = places.map((place) => {
      const [former, since] = written.get(place) || [];
      return (since === place.nodeValue ? former : place.nodeValue)!;
    });
    const after = [...before];
    if (pool) {
      const number = partsOf(pool);
      const links = [...element.querySelectorAll(TEL)].filter(isFree).map((link) => hrefOf(link).value);
      learn([...before, ...links].join(SEAM), number, rivals);
      const count = texts.length;
      const said = before.slice(0, count).join(SEAM);
      if (alone && !first(said, number)) after.splice(0, count, ...poured(texts, pool.display));
      if (places[count] && !first(before[count]!, number)) after[count] = `tel:${pool.number}`;
    }
    places.forEach((place, at) => written.set(place, [before[at]!, after[at]!]));
    page.write(places, after);
  }

  function numberIn(text: string): string {
    const digits = digitsOf(text.replace(/%../g, ""));
    const pool = pools.find((one) => one.number && digits.includes(partsOf(one).national));
    return pool ? pool.number : "";
  }

  /** Take the first number for the company's own where these pools' elements are, if none that we know is there. */
  function learn(said: string, number: Parts, rivals: Pool[]): void {
    const digits = digitsOf(said);
    const found = first(said, number);
    const known = rules.some(
      ({ own, looked }) => digits.includes(looked) && rivals.some(({ replaces }) => replaces.includes(own)),
    );
    if (!found || known || numberIn(said) || rules[MOST_RULES]) return;
    const { national } = found;
    for (const { replaces, selector } of rivals) replaces.push({ ...number, national, within: selector });
    rule();
  }

  const isFree = (element: Element): boolean => {
    if ((element as HTMLElement).isContentEditable) return false;
    for (let at: Element | undefined = element; at; at = (at.getRootNode() as ShadowRoot).host)
      if (at.closest(untouched)) return false;
    return true;
  };

  function link(element: Element): void {
    const href = hrefOf(element);
    const dialled = href.value.replace(/%20/g, " ");
    const edits = editsOf(dialled, element, element, "number");
    if (edits.length) page.write([href], [edits.reduceRight(edited, dialled)]);
  }

  function pour(element: Element, text: string): void {
    const texts = textsIn(element);
    if (element.textContent !== text) page.write(texts, poured(texts, text));
  }

  function address(element: Element, mail: string): void {
    const href = hrefOf(element);
    const text = element.textContent!.trim();
    if (!element.childElementCount && (!text || text.includes("@"))) pour(element, mail);
    if (href) page.write([href], [href.value.replace(/^mailto:[^?]*/i, () => `mailto:${mail}`)]);
  }

  function rule(): void {
    rules = pools.flatMap(({ replaces }) => replaces).flatMap((own) => {
      const rivals = rivalsFor(own);
      const pool = chosen(rivals);
      const numbers = rivals.flatMap(({ number, former }) => [number, ...former]);
      const shown = pool && nationalOf(pool.number, own.country);
      return [...new Set([own.national, ...numbers.map((number) => nationalOf(number, own.country))])]
        .filter((looked) => looked && looked !== shown)
        .map((looked) => ({ own, looked, spellings: spellingsOf(own.country, own.trunk, looked) }));
    });
  }

  return {
    refresh() {
      rule();
      page.scan();
    },
    numberIn,
  };
}

const NOTHING = "x-";

/** The selector, or one of nothing. */
function valid(selector: string): string {
  let found = NOTHING;
  attempt(() => {
    document.querySelector(selector);
    found = selector;
  });
  return found;
}
