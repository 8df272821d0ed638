/* Where a page says something that may change: texts, and the addresses of links. */

export const TEL = '[href^="tel:" i]';

export type Place = Text | Attr; // nodes stay where they are: a framework may hold them

/** The texts in a node, in their order. */
export const textsOf = (node: Node): Text[] =>
  node instanceof Text ? [node] : [...node.childNodes].flatMap((child) => textsOf(child));

/** The texts of an element, at least one. */
export function textsIn(element: Element): Text[] {
  if (!textsOf(element).length) element.append(new Text());
  return textsOf(element);
}

/** One text for all of them. */
export const poured = (places: unknown[], text: string): string[] => places.map((_, at) => (at ? "" : text));

export const hrefOf = (element: Element): Attr => element.getAttributeNode("href")!;
