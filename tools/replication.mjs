// Writes the numbers of docs/replication.md, and its figures, from the H100 data beside the checkout
// (../shared/data). `--check` writes nothing and exits with 1 when the numbers of the page differ. Needs a build: npm
// run build.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { macs, PUBLISHED_ALPHA } from '@alphaflops/conv';
import { readAllSamples } from '@alphaflops/dataset';
import { evaluate, fitModel } from '@alphaflops/models';
import { chartFile, replicate } from '@alphaflops/report';

const root = resolve(import.meta.dirname, '..');
const data = resolve(root, '../shared/data');
const page = join(root, 'docs/replication.md');
const [BEGIN, END] = ['<!-- numbers: written by tools/replication.mjs -->', '<!-- end of numbers -->'];
const DRAWN = ['conv_K_vs_S', 'conv_fixed_progressive', 'D', 'E'];
const ORIGIN = { digest: 'not kept', codeVersion: 'docs', createdAt: '1970-01-01T00:00:00Z' };

if (!existsSync(data)) {
  console.log(`skipped: ${data}, the file with the measurements, does not exist`);
  process.exit(0);
}
const read = async (name) => readAllSamples([readFileSync(join(data, name))], name);
const paper = await read('h100-paper-series.csv');
const samples = [...paper, ...(await read('h100-fine-sweeps.csv'))];
const isCheck = process.argv.includes('--check');

const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
function correlation(pairs) {
  const mean = (at) => pairs.reduce((sum, pair) => sum + pair[at], 0) / pairs.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (of) => pairs.reduce((total, [a, b]) => total + of(a - x, b - y), 0);
  return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
}

const measured = samples.map(({ spec, timeMs, extras }) => ({
  spec,
  timeMs,
  eagerMs: extras.eager_ms ?? null,
}));
const served = isCheck
  ? null
  : { name: 'model fitted to these data', model: fitModel(samples, { origin: ORIGIN }) };
const { figures, curves } = replicate({ title: '', measured, served });
const finding = (id) => figures.find((figure) => figure.finding.id === id).finding;
const error = (id, name) => finding(id).errors.find((one) => one.name === name);
const [PUBLISHED, REGRESSED, REFITTED] = curves.map(({ name }) => name);

const bySeries = (form) => evaluate(fitModel(paper, { form, origin: ORIGIN }), paper, form);
const [flops, alpha, latency] = ['flops', 'alpha', 'alpha-latency'].map(bySeries);
const published = curves[0];
const publishedErrors = paper.map(({ spec, timeMs }) => Math.abs(published.timeMs(spec) / timeMs - 1));

// One image of 150 channels, kernel times side 300: equal multiply-adds but for rounding.
const ofK = (kernel) => paper.find(({ spec: s }) => s.cin === 150 && s.cout === 150 && s.kernel_h === kernel && s.height === Math.floor(300 / kernel)); // prettier-ignore
const [small, large] = [ofK(1), ofK(28)];
const sweep = (axis) => samples.filter(({ spec: s }) => s.kernel_h === 3 && s.cin === 100 && s.height === 100 && (axis === 'width' ? s.cout === 100 : s.width === 100 && s.cout !== 100)); // prettier-ignore
const width = sweep('width');
const byWidth = (time) => correlation(width.map((row) => [row.spec.width, time(row)]));
const channels = sweep('cout');
const aligned = (isAligned) => median(channels.filter(({ spec }) => spec.cout > 64 && (spec.cout % 4 === 0) === isAligned).map(({ spec, timeMs }) => timeMs / macs(spec))); // prettier-ignore
const steps = ({ count, up, down, largestUp, largestDown }) =>
  `of ${count} steps ${up} rise and ${down} fall by more than 3 %, at most by ${percent(largestUp, 0)} and ${percent(largestDown, 0)}`;
const ratioRange = (ids) => {
  const ratios = ids.map((id) => error(id, PUBLISHED).medianRatio);
  const [least, most] = [Math.min(...ratios).toFixed(2), Math.max(...ratios).toFixed(2)];
  return least === most ? least : `${least} to ${most}`;
};

const rows = [
  [
    'paper, replication: FLOPs do not predict the time of a convolution',
    'holds',
    `one constant for all ${paper.length} convolutions of the series: median error ${percent(flops.medianApe)}, ${percent(flops.within10)} within 10 %`,
  ],
  [
    'paper, replication: points of the image are computed in parallel better than points of the kernel',
    'holds',
    `150 channels, kernel × side = 300: a ${large.spec.kernel_h}×${large.spec.kernel_w} kernel takes ${(large.timeMs / small.timeMs).toFixed(0)} times as long as a 1×1 kernel, for ${(macs(large.spec) / macs(small.spec)).toFixed(2)} times the multiply-adds`,
  ],
  [
    'paper: β and γ as published, with a rate for the device',
    'does not hold',
    `β ${PUBLISHED_ALPHA['1x1'].beta}, γ ${PUBLISHED_ALPHA['1x1'].gamma} (1×1) and β ${PUBLISHED_ALPHA.other.beta}, γ ${PUBLISHED_ALPHA.other.gamma} (others): median error ${percent(median(publishedErrors))} over the series`,
  ],
  [
    'paper: the form of α, refitted',
    'in part',
    `median error over the series ${percent(alpha.medianApe)}, with launch cost ${percent(latency.medianApe)} (both on the convolutions they were fitted to); over the width sweep ${percent(error('D', REFITTED).medianApe)}, over input channels ${percent(error('G', REFITTED).medianApe)}`,
  ],
  [
    'what α says depends on how it is fitted',
    'holds',
    `least squares on milliseconds errs by ${percent(error('conv_K_vs_S', REGRESSED).medianApe)} in the median where kernels grow against the side, the fit on relative error by ${percent(error('conv_K_vs_S', REFITTED).medianApe)}: the largest convolutions decide`,
  ],
  [
    'replication: time jumps and oscillates where the formula is smooth',
    'holds, by the device’s own clock',
    `width: ${steps(finding('D').steps)}; output channels: ${steps(finding('E').steps)}`,
  ],
  [
    'a clock with launches in it adds jumps of its own',
    'holds',
    `the same by eager time, width: ${steps(finding('D').eagerSteps)}; output channels: ${steps(finding('E').eagerSteps)}. Correlation with the width: device time ${byWidth((row) => row.timeMs).toFixed(3)}, eager time ${byWidth((row) => row.extras.eager_ms).toFixed(3)}`,
  ],
  [
    'the oscillation over output channels follows their divisibility by 4',
    'holds',
    `above 64 channels, time per multiply-add of counts that 4 does not divide is ${(aligned(false) / aligned(true)).toFixed(2)} times that of those that it does (medians)`,
  ],
  [
    'replication: α as published underestimates in general',
    'depends on the axis',
    `predicted over measured, medians: ${ratioRange(['B', 'C'])} where kernels grow (B, C), ${ratioRange(['D', 'E'])} over width and output channels (D, E), ${ratioRange(['G'])} over input channels (G)`,
  ],
  [
    'launch cost is not device time',
    'holds',
    `eager over device time, medians: ${finding('conv_fixed_progressive').eagerOverDevice.toFixed(2)} on the small convolutions of the progressive series, ${finding('D').eagerOverDevice.toFixed(2)} over the width sweep`,
  ],
];
const block = ['| claim | on this H100 | numbers |', '| --- | --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n'); // prettier-ignore
const measuredList = figures
  .map(({ finding: { id, measured: n, planned } }) => `${id} ${n} of ${planned}`)
  .join(', ');
const newBlock = `${BEGIN}\n\n${block}\n\nMeasured: ${measuredList}.\n\n${END}`;

const text = readFileSync(page, 'utf8');
const old = text.slice(text.indexOf(BEGIN), text.indexOf(END) + END.length);
// Prettier pads tables, so only the text is compared.
const plain = (table) => table.replaceAll(/-+/g, '-').replaceAll(/\s+/g, ' ');
if (isCheck) {
  if (plain(old) === plain(newBlock)) console.log('docs/replication.md agrees with the data');
  else
    console.error(
      `docs/replication.md differs from the data. Run node tools/replication.mjs.\n\n${newBlock}`,
    );
  process.exit(plain(old) === plain(newBlock) ? 0 : 1);
}
writeFileSync(page, text.replace(old, newBlock));
for (const id of DRAWN) {
  const { svg } = figures.find((figure) => figure.finding.id === id);
  writeFileSync(join(root, 'docs/replication', `${id}.svg`), `${chartFile(svg)}\n`);
}
console.log(`wrote ${page} and ${DRAWN.length} figures`);
