import { distance } from 'fastest-levenshtein';

/** Known names close to a mistyped one, nearest first, three at most. */
export function closest(name: string, known: Iterable<string>, within = Math.max(2, Math.floor(name.length / 3))): readonly string[] {
  if (name.length > 256) return [];
  const lower = name.toLowerCase();
  return [...new Set(known)]
    .map((candidate) => ({ candidate, far: distance(lower, candidate.toLowerCase()) }))
    .filter(({ candidate, far }) => far <= within && far < Math.max(candidate.length, lower.length))
    .sort((a, b) => a.far - b.far || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `did you mean "a" or "b"?`, or nothing when nothing is close. */
export function didYouMean(name: string, known: Iterable<string>, within?: number): string | undefined {
  const names = closest(name, known, within);
  return names.length === 0 ? undefined : `did you mean ${names.map((each) => `"${each}"`).join(' or ')}?`;
}
