/* Where a page says a number: in texts, in what a tap dials, and in the words that screen readers and pointers get. */

const DIALLING = ["href", "xlink:href", "data-href", "onclick", "action", "formaction"];
const SPOKEN = ["aria-label", "title", "placeholder", "data-clipboard-text"];

/** Attributes in which a number may change. */
export const WATCHED = [...DIALLING, ...SPOKEN];

/** What may dial; whether it does, `dialled` says. */
export const TEL = ["*|href", "data-href", "onclick", "action", "formaction"]
  .map((name) => `[${name}*="tel:" i],[${name}*="callto:" i]`)
  .join();
export const LABELLED = SPOKEN.map((name) => `[${name}]`).join();

export type Place = Text | Attr; // nodes stay where they are: a framework may hold them

const named = (element: Element, names: string[]): Attr[] =>
  [...element.attributes].filter(({ name }) => names.includes(name));

/** The attributes of an element that dial a number. */
export const dialled = (element: Element): Attr[] =>
  named(element, DIALLING).filter(({ value }) => /\b(?:tel|callto):/i.test(value));

/** Those that are read out or shown beside the pointer. */
export const spoken = (element: Element): Attr[] => named(element, SPOKEN).filter(({ value }) => /\d/.test(value));

/** What an attribute says, without percent signs where it is an address. */
export function decoded({ name }: Attr, text: string): string {
  try {
    return name === "onclick" ? text : decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The texts in a node, in their order. */
export const textsOf = (node: Node): Text[] =>
  node.nodeType === Node.TEXT_NODE
    ? [node as Text]
    : [...node.childNodes].flatMap((child) => textsOf(child));

/** The texts of an element, at least one. */
export function textsIn(element: Element): Text[] {
  if (!textsOf(element).length) element.append(new Text());
  return textsOf(element);
}

/** One text for all of them. */
export const alike = (places: unknown[], text: string): string[] => places.map((_, at) => (at ? "" : text));
