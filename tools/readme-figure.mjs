// Draws the figure of README.md, docs/figures/h100-measured-predicted.svg: held-out predictions against measured times of
// the H100 samples in data/. Needs a build: npm run build.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readAllSamples } from '@alphaflops/dataset';
import { fitModel } from '@alphaflops/models';
import { chartFile, measuredAgainstPredicted } from '@alphaflops/report';

const root = resolve(import.meta.dirname, '..');
const data = join(root, 'data/sample-h100/h100-networklike-1000.csv');
const figure = join(root, 'docs/figures/h100-measured-predicted.svg');
const ORIGIN = { digest: 'not kept', codeVersion: 'docs', createdAt: '1970-01-01T00:00:00Z' };

const samples = await readAllSamples([readFileSync(data)], data);
const timed = samples.map(({ spec, timeMs }) => ({ spec, timeMs }));
const model = fitModel(timed, { device: { smCount: 132 }, origin: ORIGIN });
const svg = measuredAgainstPredicted(model);
if (svg === null) throw new Error(`The fit of ${data} contains no held-out predictions.`);
mkdirSync(dirname(figure), { recursive: true });
writeFileSync(figure, `${chartFile(svg)}\n`);
const { heldOut } = model.forms.find(({ form }) => form === model.chosenForm);
console.log(
  `wrote ${figure}: ${model.chosenForm}, held-out median error ${(100 * heldOut.medianApe).toFixed(1)} %`,
);
