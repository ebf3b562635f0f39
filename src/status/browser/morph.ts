/**
 * Makes `from` look like `to` by changing only what differs, so that focus, selection, scrolling and open disclosures
 * survive. Elements with `data-key` are found again wherever they moved; those with `data-own` belong to the script.
 */
export function morph(from: Element, to: Element): void {
  morphAttributes(from, to);
  morphChildren(from, to);
  morphControl(from);
}

function morphAttributes(from: Element, to: Element): void {
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const name of from.getAttributeNames()) {
    // Whether a disclosure is open is up to whoever reads.
    if (!to.hasAttribute(name) && !(name === 'open' && from instanceof HTMLDetailsElement)) from.removeAttribute(name);
  }
}

function morphChildren(from: Element, to: Element): void {
  const keyed = new Map<string, Element>();
  for (const child of from.children) keyed.set(keyOf(child) ?? '', child);
  let next: ChildNode | null = from.firstChild;
  for (const wanted of to.childNodes) {
    const match = matchFor(wanted, next, keyed);
    if (match === undefined) from.insertBefore(document.importNode(wanted, true), next);
    else if (match === next) next = next.nextSibling;
    else from.insertBefore(match, next);
    if (match) morphNode(match, wanted);
  }
  while (next !== null) {
    const extra = next;
    next = next.nextSibling;
    extra.remove();
  }
}

function matchFor(
  wanted: ChildNode,
  next: ChildNode | null,
  keyed: ReadonlyMap<string, Element>,
): ChildNode | undefined {
  const key = keyOf(wanted);
  if (key !== undefined) return keyed.get(key);
  return next !== null && next.nodeName === wanted.nodeName && keyOf(next) === undefined ? next : undefined;
}

function morphNode(from: ChildNode, to: ChildNode): void {
  if (from instanceof Element && to instanceof Element) {
    if (!from.hasAttribute('data-own')) morph(from, to);
  } else if (from.nodeValue !== to.nodeValue) {
    from.nodeValue = to.nodeValue;
  }
}

function keyOf(node: Node): string | undefined {
  return node instanceof Element ? (node.getAttribute('data-key') ?? undefined) : undefined;
}

/** What a person is typing or choosing at this moment stays; else the control shows what its attributes say. */
function morphControl(element: Element): void {
  if (element === document.activeElement) return;
  if (element instanceof HTMLInputElement && element.type !== 'hidden') element.value = element.defaultValue;
  if (element instanceof HTMLOptionElement && element.parentElement !== document.activeElement) {
    element.selected = element.defaultSelected;
  }
}
