import { z } from 'zod';
import { invalidInput, type InvalidField } from './errors';
import { checkLabels } from './labels';

/**
 * Reads a request body.
 * @throws ApiError invalid_input with one entry in `details.fields` per faulty field
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const messages = new Map<string, string[]>();
  for (const issue of result.error.issues) {
    const name = issue.path.map(String).join('.') || 'body';
    messages.set(name, [...(messages.get(name) ?? []), vendorMessage(issue)]);
  }
  throw invalidInput([...messages].map(([name, texts]): InvalidField => ({ name, messages: texts })));
}

function vendorMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'Missing data for required field.';
  return issue.message;
}

/** Labels, with the vendor's rules for keys and values. */
export const labelsField = z.record(z.string(), z.string()).superRefine((labels, context) => {
  try {
    checkLabels(labels);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

export const idField = z.int().positive();

/** Absent and null mean the same. */
export const optionalId = idField.nullish().transform((id) => id ?? undefined);

/** Name of everything but servers. */
export const nameField = z.string().min(1).max(128);

/** Body of the update of a resource that has nothing but a name and labels. */
export const nameAndLabels = z.object({ name: nameField.optional(), labels: labelsField.optional() });
