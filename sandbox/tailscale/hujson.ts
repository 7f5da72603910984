/**
 * Parses HuJSON: JSON with comments and trailing commas (https://nigeltao.github.io/blog/2021/json-with-commas-comments.html).
 * @throws SyntaxError as JSON.parse does
 */
export function parseHuJson(text: string): unknown {
  return JSON.parse(withoutTrailingCommas(withoutComments(text)));
}

// Strings are matched first, so that what looks like a comment or a comma inside one stays.
const STRING = /"(?:[^"\\]|\\.)*"/.source;

function withoutComments(text: string): string {
  const pattern = new RegExp(`${STRING}|//[^\\n]*|/\\*[\\s\\S]*?\\*/`, 'g');
  return text.replace(pattern, (match) => (match.startsWith('"') ? match : ' '));
}

function withoutTrailingCommas(text: string): string {
  const pattern = new RegExp(`${STRING}|,(?=\\s*[}\\]])`, 'g');
  return text.replace(pattern, (match) => (match === ',' ? '' : match));
}
