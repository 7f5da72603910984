import { distance } from 'fastest-levenshtein';

/** The candidates that a person may have meant: at most three, each once, nearest first, none that is far off. */
export function nearMatches(word: string, candidates: readonly string[]): string[] {
  const limit = Math.max(2, Math.floor(word.length / 2));
  return [...new Set(candidates)]
    .filter((candidate) => candidate !== word)
    .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean "cx23" or "cx33"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const matches = nearMatches(word, candidates).map((match) => `"${match}"`);
  return matches.length === 0 ? '' : ` Did you mean ${matches.join(' or ')}?`;
}
