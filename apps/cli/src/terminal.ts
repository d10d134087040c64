/* eslint-disable no-control-regex -- control characters are what is looked for */

/** What this program itself writes: bold and red, and their ends. */
// eslint-disable-next-line no-control-regex -- a style begins with one
const OWN_STYLES = /\u001b\[(?:1|22|31|39)m/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text that a terminal shows and does not obey: control characters stand as escapes such as \\u001b. Names come from
 * others, and a name can hold what moves the cursor or changes the title.
 *
 * @param styled whether our own styles stay
 */
export function printable(text: string, styled: boolean): string {
  const escaped = (part: string) =>
    part.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (!styled) return escaped(text);
  const styles = text.match(OWN_STYLES) ?? [];
  return text
    .split(OWN_STYLES)
    .map((part, at) => escaped(part) + (styles[at] ?? ''))
    .join('');
}

/** From here on, everything that goes through the console is printable. */
export function guardConsole(): void {
  const outputs = [
    ['log', process.stdout],
    ['error', process.stderr],
  ] as const;
  for (const [method, stream] of outputs) {
    const write = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      write(...values.map((value) => (typeof value === 'string' ? printable(value, stream.isTTY) : value)));
    };
  }
}
