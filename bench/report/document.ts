/** A document that lacks the place where measurements go. */
export class MarkerError extends Error {
  override name = 'MarkerError';
}

/**
 * The document with `content` between its markers of this name; all around them stays as it is.
 * @throws MarkerError when a marker is missing, is there twice, or the two are in the wrong order
 */
export function replaceBetweenMarkers(document: string, name: string, content: string): string {
  const begin = `<!-- begin: ${name} -->`;
  const end = `<!-- end: ${name} -->`;
  const from = only(document, begin);
  const to = only(document, end);
  if (to < from) throw new MarkerError(`${end} stands before ${begin}`);
  return `${document.slice(0, from + begin.length)}\n\n${content.trim()}\n\n${document.slice(to)}`;
}

function only(document: string, marker: string): number {
  const at = document.indexOf(marker);
  if (at === -1) throw new MarkerError(`the document has no line ${marker}`);
  if (document.includes(marker, at + 1)) throw new MarkerError(`the document has ${marker} twice`);
  return at;
}
