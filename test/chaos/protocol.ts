import { z } from 'zod';

/** What the test tells the service that it may kill. */
export const orderSchema = z.discriminatedUnion('order', [
  /** Seconds since 1970, and virtual seconds a real one. */
  z.object({ order: z.literal('clock'), now: z.number(), rate: z.number() }),
  z.object({ order: z.literal('begin'), settings: z.record(z.string(), z.unknown()) }),
  z.object({ order: z.literal('round'), round: z.int() }),
  z.object({ order: z.literal('end') }),
]);
export type Order = z.output<typeof orderSchema>;

/** What it says. */
export const wordSchema = z.discriminatedUnion('word', [
  z.object({ word: z.literal('ready'), adminUrl: z.string() }),
  /** A round, and the update that it started, has ended. */
  z.object({ word: z.literal('ended'), round: z.int() }),
  /** An intent is about to be written. */
  z.object({ word: z.literal('intent') }),
  z.object({ word: z.literal('log'), line: z.string() }),
]);
export type Word = z.output<typeof wordSchema>;
