/* Walks over the page and over what is added to it, in slices short enough to go unnoticed.

Texts that may hold one number between them (`<b>8</b> (495) <span>123-45-67</span>`) are handed over together, as a run.
What is written from here is not read again. A page that always writes its own back is answered ever more slowly. */

import { CONTINUED, OPEN, SEAM } from "./spelling";

const INLINE =
  /^(A|ABBR|B|BDI|BDO|BIG|CITE|CODE|DATA|DEL|EM|FONT|I|INS|KBD|LABEL|MARK|NOBR|Q|S|SMALL|SPAN|STRONG|SUB|SUP|TIME|TSPAN|TT|U)$/i;
const UNREAD = /^(TITLE|SCRIPT|STYLE|TEXTAREA|NOSCRIPT)$/i;
const SLICE_MILLISECONDS = 5;
const TURNS = 20;

/** Neighbouring texts that read as one. */
export interface Run {
  nodes: Text[];
  text: string; // of all, with seams between
}

export interface Reader {
  run(run: Run): void;
  element(element: Element): void;
}

export interface Scanner {
  scan(root: Node): void;
  write(change: () => void): void; // the only way to change the page
}

export function scanner(reader: Reader): Scanner {
  const queue = new Set<Node>();
  let iterator: NodeIterator | undefined;
  let run: Run = { nodes: [], text: "" };
  let waiting = false;
  let turns = 0;
  let patience = 500;

  const observer = new MutationObserver((records) => {
    note(records);
    if (!turns) setTimeout(() => (turns = 0));
    if (++turns > TURNS) later((patience *= 2));
    else work();
  });

  function note(records: MutationRecord[]): void {
    for (const { type, target, addedNodes } of records) {
      if (type === "attributes") queue.add(target);
      else if (type === "characterData") queue.add(block(target));
      else addedNodes.forEach((node) => queue.add(node instanceof Element && !isInline(node) ? node : block(target)));
    }
  }

  function later(delay = 0): void {
    if (waiting) return;
    waiting = true;
    const go = (): void => {
      waiting = false;
      work();
    };
    if (delay || !window.requestIdleCallback) setTimeout(go, delay || 20);
    else requestIdleCallback(go, { timeout: 300 });
  }

  function work(): void {
    const end = performance.now() + SLICE_MILLISECONDS;
    for (let seen = 1; iterator || queue.size; iterator = undefined) {
      // a NodeIterator, unlike a TreeWalker, survives the removal of the node it stands at
      iterator ??= document.createNodeIterator(next(), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
      for (let node = iterator.nextNode(); node; node = iterator.nextNode()) {
        attempt(visit, node);
        if (!(seen++ & 31) && performance.now() > end) return later();
      }
      finish();
    }
  }

  function next(): Node {
    const [root] = queue as Set<Node> & [Node];
    queue.delete(root); // at once: what changes in it from now on has to be read again
    return root;
  }

  function visit(node: Node): void {
    if (node instanceof Element) {
      if (node.shadowRoot) enter(node.shadowRoot);
      reader.element(node);
      return;
    }
    const text = (node as Text).data;
    const last = run.nodes[run.nodes.length - 1];
    if (last && !(OPEN.test(run.text) && CONTINUED.test(text) && touch(last, node))) finish();
    if ((!run.text && !/\d/.test(text)) || UNREAD.test(node.parentNode?.nodeName || "")) return;
    run.nodes.push(node as Text);
    run.text += (run.text && SEAM) + text;
  }

  function finish(): void {
    const { nodes, text } = run;
    run = { nodes: [], text: "" };
    if (text && nodes.map((node) => node.data).join(SEAM) === text) attempt(reader.run, { nodes, text });
  }

  /** Read a tree, and whatever is added to it from now on. */
  function enter(root: Node): void {
    observer.observe(root, {
      childList: true,
      characterData: true,
      subtree: true,
      attributeFilter: ["href"],
    });
    queue.add(root);
  }

  // a shadow root attached to an element that is on the page already makes no mutation
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    const root = attach.call(this, init);
    if (init.mode === "open") attempt(enter, root);
    return root;
  };
  enter(document);

  return {
    scan(root) {
      queue.add(root);
      work();
    },
    write(change) {
      note(observer.takeRecords());
      change();
      observer.takeRecords();
    },
  };
}

/** Nothing of ours may end in an error of the page. */
export function attempt<Given extends unknown[]>(act: (...given: Given) => void, ...given: Given): void {
  try {
    act(...given);
  } catch {
    // the page keeps what it has
  }
}

const isInline = (node: Node): boolean => INLINE.test(node.nodeName);

/** The nearest ancestor that a number does not reach beyond. */
function block(node: Node): Node {
  let found = node;
  while (found.parentNode && (found.nodeType === Node.TEXT_NODE || isInline(found))) found = found.parentNode;
  return found;
}

/** Whether nothing but inline elements stands between two texts, the second behind the first. */
function touch(first: Node, second: Node): boolean {
  let [up, down]: (Node | null)[] = [first.parentNode, second.parentNode];
  for (; up && !up.contains(second); up = up.parentNode) if (!isInline(up)) return false;
  for (; down && down !== up; down = down.parentNode) if (!isInline(down)) return false;
  return true;
}
