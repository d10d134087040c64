import { printable } from '@alphaflops/contracts/text';

/** The styles of this program: bold and red, and their ends. */
// eslint-disable-next-line no-control-regex -- a style begins with one
const OWN_STYLES = /\u001b\[(?:1|22|31|39)m/g;

/** Printable text that keeps the styles of this program. */
export function styled(text: string): string {
  const styles = text.match(OWN_STYLES) ?? [];
  return text
    .split(OWN_STYLES)
    .map((part, at) => printable(part) + (styles[at] ?? ''))
    .join('');
}

/** From now on, all output of the console is printable. */
export function guardConsole(): void {
  const outputs = [
    ['log', process.stdout],
    ['error', process.stderr],
  ] as const;
  for (const [method, stream] of outputs) {
    const write = console[method].bind(console);
    const shown = (text: string) => (stream.isTTY ? styled(text) : printable(text));
    console[method] = (...values: unknown[]) => {
      write(...values.map((value) => (typeof value === 'string' ? shown(value) : value)));
    };
  }
}
