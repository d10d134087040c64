// eslint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text that a terminal shows and does not obey: control characters stand as escapes such as \\u001b, but for tabs and the
 * ends of lines. Names come from others, and a name can hold what moves the cursor or changes the title.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What an error says, for people. A refused connection to several addresses says nothing in its own message. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join(', ');
  return error instanceof Error ? error.message || error.name : String(error);
}

/** A share as a percentage, such as `12.5 %` for 0.125. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
