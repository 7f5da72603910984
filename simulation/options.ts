import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../components/model/near-matches';

/** Readers of command line values: each takes the text and throws commander's error, which names the option. */

export function policyNames(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = [...new Set(text.split(',').map((name) => name.trim()))];
    const faults = names
      .filter((name) => !known.includes(name))
      .map((name) => `There is no policy "${name}".${didYouMean(name, known)}`);
    if (faults.length > 0) {
      throw new InvalidArgumentError(`${faults.join(' ')} There are ${known.join(', ')}.`);
    }
    return names;
  };
}

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
    }
    return value;
  };
}

export function seconds(text: string): number {
  const value = Number(text);
  if (!isDecimal(text) || value <= 0)
    throw new InvalidArgumentError('It must be a number of seconds above 0.');
  return value;
}

/** `60-180`, or `90` for a boot that always takes as long. */
export function bootRange(text: string): { min: number; max: number } {
  const [first = '', second = first, ...rest] = text.split('-');
  const [min, max] = [Number(first), Number(second)];
  if (rest.length > 0 || !isDecimal(first) || !isDecimal(second)) {
    throw new InvalidArgumentError('Give the shortest and the longest boot in seconds, such as 60-180.');
  }
  if (max < min) {
    throw new InvalidArgumentError(`Give the shorter boot first: ${second}-${first}.`);
  }
  return { min, max };
}

export function share(text: string): number {
  const value = Number(text);
  if (!isDecimal(text) || value >= 1) throw new InvalidArgumentError('It must be from 0 to less than 1.');
  return value;
}

function isDecimal(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text);
}
