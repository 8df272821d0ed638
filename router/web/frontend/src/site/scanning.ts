/* Walks over the page and over what is added to it, in slices short enough to go unnoticed.

Texts that may hold one number between them (`<b>8</b> (495) <span>123-45-67</span>`) are handed over together, as a run.
What is written from here is not read again. A page that always writes its own back is answered more and more slowly,
and at once again when it has calmed down. */

import {
  CALM,
  ELEMENTS_AND_TEXTS,
  LARGEST,
  LONGEST_REST,
  MOST_NEIGHBOURS,
  SHORTEST_REST,
  SLICE_MILLISECONDS,
  TURNS,
} from "./limits";
import { WATCHED, type Place } from "./places";
import { CONTINUED, OPEN, plain, REACHED, SEAM } from "./spelling";

const INLINE =
  /^(A|ABBR|ACRONYM|B|BDI|BDO|BIG|CITE|CODE|DATA|DEL|DFN|EM|FONT|I|INS|KBD|LABEL|MARK|NOBR|OUTPUT|Q|S|SAMP|SMALL|SPAN|STRIKE|STRONG|SUB|SUP|TIME|TSPAN|TT|U|VAR)$/i;
const LINE = "script[data-ringtrace],script[src*='/site/']";
export const UNREAD = "title,script,style,textarea,noscript";

export interface Scanner {
  scan(node?: Node): void; // all of the page, or what is around a node
  write(places: Place[], said: string[]): void; // the only way to change the page; each place says its own
}

/** What the scanner finds is given to these. */
export interface Reader {
  untouched: string; // selector of elements where no number goes on that began outside
  whole: string; // selector of elements that are met again when anything in them changes
  read(nodes: Text[], said: string): void; // texts that read as one: the nodes, and what they say with seams between
  meet(element: Element): void; // every element
  change(element: Element, attribute: string): void; // before its texts are read again
}

export function scanner({ untouched, whole, read, meet, change }: Reader): Scanner {
  const queue = new Set<Node>();
  const frames = new WeakSet<Node>();
  let roots: Node[] = []; // of what is being read as one
  let iterator: NodeIterator | undefined;
  let nodes: Text[] = [];
  let said = "";
  let turns = 0;
  let pause = 0;
  let restedAt = 0;

  const observer = new MutationObserver((records) => {
    note(records);
    if (!turns) setTimeout(() => (turns = 0));
    if (++turns > TURNS) rest();
    else work();
  });

  const rest = once((go) => {
    const now = Date.now();
    pause = now - restedAt > CALM * pause ? SHORTEST_REST : Math.min(2 * pause, LONGEST_REST);
    restedAt = now;
    setTimeout(go, pause);
  });
  const later = once((go) => {
    if ("requestIdleCallback" in window) requestIdleCallback(go, { timeout: 300 });
    else setTimeout(go, 20);
  });

  /** Work when `start` says so; until then its being asked for again changes nothing. */
  function once(start: (go: () => void) => void): () => void {
    let due = false;
    const go = (): void => {
      due = false;
      work();
    };
    return () => {
      if (!due) start(go);
      due = true;
    };
  }

  function note(records: MutationRecord[]): void {
    for (const { type, target, addedNodes, attributeName } of records) {
      if (attributeName) attempt(change, target as Element, attributeName);
      for (const node of type === "childList" ? addedNodes : [target]) queue.add(within(outermost(node)));
    }
  }

  /** The element around the node that is read whole: the parser, and frameworks, fill it in several steps. */
  function within(node: Node): Node {
    const element = isElement(node) ? node : node.parentElement;
    const found = element && element.closest(whole);
    return found && !found.getElementsByTagName("*")[LARGEST] ? found : node;
  }

  function work(): void {
    const end = Date.now() + SLICE_MILLISECONDS;
    for (let seen = 1; iterator || roots.length || queue.size; iterator = undefined) {
      if (!iterator && !roots.length) roots = next();
      // a NodeIterator, unlike a TreeWalker, survives the removal of the node it is at
      iterator = iterator || document.createNodeIterator(roots.shift()!, ELEMENTS_AND_TEXTS);
      for (let node = iterator.nextNode(); node; node = iterator.nextNode()) {
        attempt(visit, node);
        if (!(seen++ & 31) && Date.now() > end) return later();
      }
      if (!roots.length) finish();
    }
  }

  /** What is to be read next: a block, or an inline node with all neighbours that a number in it may reach to. */
  function next(): Node[] {
    const [node] = queue as Set<Node> & [Node];
    queue.delete(node); // at once: what changes in it from now on has to be read again
    const found = [node];
    if (isInline(node))
      for (const [side, add] of [["previousSibling", "unshift"], ["nextSibling", "push"]] as const)
        for (let at = node[side], count = 0; at && joins(at) && count++ < MOST_NEIGHBOURS; at = at[side]) {
          found[add](at);
          if (at.nodeType !== Node.COMMENT_NODE && !REACHED.test(plain(at.textContent!))) break;
        }
    return found;
  }

  const joins = (node: Node): boolean => !node.firstChild || isInline(node);

  function visit(node: Node): void {
    if (isElement(node)) {
      if (node.shadowRoot) enter(node.shadowRoot);
      if (/^iframe$/i.test(node.nodeName)) enterFrame(node as HTMLIFrameElement);
      meet(node);
      return;
    }
    const text = plain((node as Text).data);
    const last = nodes[nodes.length - 1];
    const parent = node.parentElement;
    if (last && !(OPEN.test(said) && CONTINUED.test(text) && block(last) === block(node))) finish();
    if ((!said && !/\d|[+(]\s*$/.test(text)) || (parent && parent.matches(UNREAD))) return;
    nodes.push(node as Text);
    said += (said && SEAM) + text;
  }

  function finish(): void {
    const whole = nodes.map(({ data }) => data).join(SEAM);
    if (said && plain(whole) === said) attempt(read, nodes, whole);
    nodes = [];
    said = "";
  }

  /** The node or its nearest ancestor that a number does not reach beyond. */
  function block(node: Node): Node {
    let found = node;
    while (found.parentNode && isInline(found)) found = found.parentNode;
    return found;
  }

  /** The node or its farthest ancestor that is inline like it. */
  function outermost(node: Node): Node {
    let found = node;
    while (found.parentNode && isInline(found) && isInline(found.parentNode)) found = found.parentNode;
    return found;
  }

  const isInline = (node: Node): boolean =>
    node.nodeType === Node.TEXT_NODE ||
    (isElement(node) && isInlineTag(node) && !node.matches(untouched));

  const isInlineTag = ({ nodeName, childElementCount }: Element): boolean =>
    INLINE.test(nodeName) || (nodeName.includes("-") && !childElementCount);

  /** Read a tree, and whatever is added to it from now on. */
  function enter(root: Node): void {
    observer.observe(root, {
      childList: true,
      characterData: true,
      subtree: true,
      attributeFilter: [...WATCHED, "contenteditable", "ssr"],
    });
    queue.add(root);
  }

  /** Read a frame of the same origin that has no line of its own, and each page it shows. */
  function enterFrame(frame: HTMLIFrameElement): void {
    const again = () => {
      attempt(enterFrame, frame);
      work();
    };
    if (!frames.has(frame)) frame.addEventListener("load", again);
    frames.add(frame);
    const inside = frame.contentDocument; // none of another origin
    if (!inside || inside.querySelector(LINE)) return;
    if (inside.readyState === "loading") return inside.addEventListener("DOMContentLoaded", again); // its line may come
    if (!frames.has(inside)) listen(inside);
    frames.add(inside);
    enter(inside);
  }

  // a shadow root attached to an element that is on the page already makes no mutation
  const attach = Element.prototype.attachShadow;
  attempt(() => {
    Element.prototype.attachShadow = function (init) {
      const root = attach.call(this, init);
      if (init.mode === "open") attempt(enter, root);
      return root;
    };
  });
  enter(document);

  return {
    scan(node: Node = document) {
      queue.add(node);
      work();
    },
    write(places, said) {
      note(observer.takeRecords());
      places.forEach((place, at) => {
        if (place.nodeValue !== said[at]) place.nodeValue = said[at]!;
      });
      observer.takeRecords();
    },
  };
}

/** Nodes of a frame are of its own window's classes. */
export const isElement = (node: Node): node is Element => node.nodeType === Node.ELEMENT_NODE;

const heard: [string, (event: Event) => void][] = [];

/** Hear of what visitors do on the page and in its frames before the page does. */
export function hear(name: string, act: (event: Event) => void): void {
  heard.push([name, act]);
  listen(document, heard.slice(-1));
}

function listen(page: Document, wanted = heard): void {
  for (const [name, act] of wanted)
    page.addEventListener(name, (event) => attempt(act, event), { capture: true, passive: true });
}

/** Nothing of ours may end in an error of the page. */
export function attempt<Given extends unknown[]>(act: (...given: Given) => void, ...given: Given): void {
  try {
    act(...given);
  } catch {
    // the page keeps what it has
  }
}
