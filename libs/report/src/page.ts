import { paletteCss } from './chart.js';

/** Escapes text so that it does not become markup. */
export const text = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Returns an HTML table. The columns from index `rightFrom` contain numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  rightFrom = head.length,
): string {
  const cells = (row: readonly string[], tag: 'th' | 'td') =>
    row
      .map((cell, at) => `<${tag}${at >= rightFrom ? ' class="number"' : ''}>${text(cell)}</${tag}>`)
      .join('');
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<div class="wide"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

/** Returns one self-contained HTML page without scripts, other files or other origins. */
export function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${paletteCss(':root')}${STYLE}</style>
</head>
<body>
<h1>${text(title)}</h1>
${parts.join('\n')}
</body>
</html>
`;
}

const STYLE = `
:root{color-scheme:light dark}
body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;max-width:980px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--rule)}h3{font-size:1rem;margin-bottom:.3rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem;margin:.5rem 0}
th,td{padding:.2rem .9rem .2rem 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}.number{text-align:right;font-variant-numeric:tabular-nums}
figure{margin:1.5rem 0;break-inside:avoid}figure .wide{margin:0}svg.chart{color:var(--ink);background:none;max-width:100%;height:auto;overflow:visible}
figcaption{font-size:.875rem}.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.875rem;margin:0;padding:0;list-style:none}
.legend svg{vertical-align:middle;margin-right:.4rem}
@media (max-width:700px){svg.chart{max-width:none}}
@media print{:root{color-scheme:light}body{margin:0;font-size:11pt;max-width:none}h2{break-after:avoid}svg.chart{max-width:100%}}
`;
