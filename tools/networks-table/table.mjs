// Compares the multiply-adds that @alphaflops/networks reads with the counts of other programs for the same networks.
//   python3 tools/networks-table/make_networks.py DIRECTORY
//   node tools/networks-table/table.mjs DIRECTORY > table.md        needs `npm run build`
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { macs } from '@alphaflops/conv';
import { bytesSource, readNetwork } from '@alphaflops/networks';

const directory = process.argv[2] ?? '.';
const rows = readFileSync(join(directory, 'networks.jsonl'), 'utf8').trim().split('\n').map(JSON.parse);
const RIGHT_WITHIN = 0.005;

const results = rows.map((row) => {
  if (row.file === null) return { ...row, state: 'not made' };
  try {
    const path = join(directory, row.file);
    const fileBeside = (name) => bytesSource(readFileSync(join(dirname(path), name)));
    const { layers, completeness } = readNetwork(readFileSync(path), { fileBeside });
    const costed = layers.reduce((sum, { spec }) => sum + macs(spec), 0);
    const found = costed + completeness.missingMacs;
    const isRight = Math.abs(found / row.macs - 1) <= RIGHT_WITHIN;
    // A difference that the reader reports is not a wrong total.
    const state = isRight ? 'right' : completeness.isComplete ? 'wrong' : 'announced';
    return { ...row, state, found, share: costed / row.macs, isComplete: completeness.isComplete };
  } catch (error) {
    return { ...row, state: 'refused', trouble: error.message };
  }
});

const count = (some, state) => some.filter((each) => each.state === state).length;
console.log(
  '| format | networks | multiply-adds right | wrong, and said so | wrong | refused | complete | share costed, mean |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const format of new Set(results.filter(({ file }) => file !== null).map((each) => each.format))) {
  const some = results.filter((each) => each.format === format);
  const read = some.filter(({ share }) => share !== undefined);
  const mean = read.reduce((sum, { share }) => sum + Math.min(share, 1), 0) / read.length;
  const counts = ['right', 'announced', 'wrong', 'refused'].map((state) => count(some, state));
  const complete = read.filter(({ isComplete }) => isComplete).length;
  console.log(
    `| ${[format, some.length, ...counts, complete, `${(100 * mean).toFixed(1)} %`].join(' | ')} |`,
  );
}
const FORMATS = ['layer-list', 'onnx', 'keras', 'tfjs'];
const million = (value) => (value / 1e6).toFixed(1);
const read = results.filter(({ file }) => file !== null);
console.log(`\n| network | counted by others, million | ${FORMATS.join(' | ')} |`);
console.log(`| --- | --- | ${FORMATS.map(() => '---').join(' | ')} |`);
for (const name of new Set(read.map((each) => each.name))) {
  const own = read.filter((each) => each.name === name);
  const cells = FORMATS.map((format) => {
    const one = own.find((each) => each.format === format);
    if (one === undefined) return '–';
    if (one.share === undefined) return one.trouble;
    const verdict = one.state === 'right' ? 'right' : `${million(one.found)} million, ${one.state}`;
    return `${verdict}, ${(100 * Math.min(one.share, 1)).toFixed(1)} %`;
  });
  console.log(`| ${[name, million(own[0].macs), ...cells].join(' | ')} |`);
}
const notMade = results.filter(({ file }) => file === null).map(({ name }) => name);
console.log(`\nNot made: ${notMade.length === 0 ? 'none' : notMade.join(', ')}.`);
