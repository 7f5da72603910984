/* global document, Node, SVGElement */

/** Builds a tree and brings what is shown to it in place, so that nothing flickers and focus and selection stay. */

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'polyline', 'path', 'rect', 'line', 'title']);

/** Text only ever becomes text: nothing from the service is read as HTML. Absent attributes and children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(
    ...children.flat(3).filter((child) => child !== undefined && child !== false && child !== ''),
  );
  return element;
}

/** Makes `shown` equal to `wanted`, keeping every node that can stay. Whether details are open is the reader's. */
export function patch(shown, wanted) {
  if (shown.nodeType === Node.TEXT_NODE) {
    if (shown.data !== wanted.data) shown.data = wanted.data;
    return;
  }
  for (const { name } of [...shown.attributes]) {
    if (!wanted.hasAttribute(name) && name !== 'open') shown.removeAttribute(name);
  }
  for (const { name, value } of [...wanted.attributes]) {
    if (shown.getAttribute(name) !== value && name !== 'open') shown.setAttribute(name, value);
  }
  patchChildren(shown, [...wanted.childNodes]);
}

function patchChildren(shown, wanted) {
  const keyed = new Map([...shown.childNodes].filter(keyOf).map((child) => [keyOf(child), child]));
  wanted.forEach((next, index) => {
    const current = shown.childNodes[index];
    const match = keyOf(next) ? keyed.get(keyOf(next)) : current;
    if (match && alike(match, next)) {
      if (match !== current) shown.insertBefore(match, current ?? null);
      patch(match, next);
    } else {
      shown.insertBefore(next, current ?? null);
    }
  });
  while (shown.childNodes.length > wanted.length) shown.lastChild.remove();
}

function alike(a, b) {
  return (
    a.nodeName === b.nodeName && keyOf(a) === keyOf(b) && a instanceof SVGElement === b instanceof SVGElement
  );
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute('data-key') : null;
}
