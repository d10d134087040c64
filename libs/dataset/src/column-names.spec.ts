import { DatasetError, readAllSamples, readSpecs } from './index.js';

const REQUIRED = 'height,width,cin,cout,kernel_h,kernel_w';
const CELLS = '56,28,64,128,3,1';

async function one(header: string, row: string, onIgnored?: (columns: readonly string[]) => void) {
  const [sample] = await readAllSamples(`${header},time_ms\n${row},0.5\n`, 'a.csv', onIgnored);
  return sample;
}

async function refusal(header: string, row: string): Promise<DatasetError> {
  const result: unknown = await one(header, row).catch((error: unknown) => error);
  if (result instanceof DatasetError) return result;
  throw new Error(`expected a DatasetError, got ${JSON.stringify(result)}`);
}

it.each([
  ['Batch,Stride,Groups,Dtype', '32,2,64,f16', { batch: 32, stride: 2, groups: 64, dtype: 'f16' }],
  ['BATCH SIZE,strides,group,data_type', '32,2,64,f16', { batch: 32, stride: 2, groups: 64, dtype: 'f16' }],
  ['dilationH,Stride W', '2,3', { dilation_h: 2, stride_w: 3 }],
  ['data-format,Padding', 'NHWC,valid', { layout: 'NHWC', padding: 'valid' }],
])('reads optional axes named %s', async (names, cells, spec) => {
  expect((await one(`${REQUIRED},${names}`, `${CELLS},${cells}`))?.spec).toMatchObject(spec);
});

it('reads axes that every file has under other names, in any order', async () => {
  const header = 'in_channels,outChannels,Kernel-H,kernel width,Height,inputWidth';
  expect((await one(header, '64,128,3,1,56,28'))?.spec).toMatchObject({
    ...{ height: 56, width: 28, cin: 64, cout: 128, kernel_h: 3, kernel_w: 1 },
  });
});

it('reads the other layouts in other cases', async () => {
  const [row] = await readAllSamples('w,h,CIN,COUT,k,Avg_Time,Batch\n10,20,3,4,5,0.002,7\n', 'a.csv');
  expect(row).toMatchObject({ spec: { height: 20, width: 10, kernel_h: 5, batch: 7 }, timeMs: 2 });
});

it.each([
  ['K', 'may mean kernel_h', REQUIRED.replace(',kernel_h,kernel_w', ''), CELLS.replace(',3,1', '')],
  ['N', 'may mean batch', REQUIRED, CELLS],
  ['dilation', 'may mean dilation_h', REQUIRED, CELLS],
  ['stirde', 'may mean stride', REQUIRED, CELLS],
  ['grops', 'may mean groups', REQUIRED, CELLS],
])('refuses %s by name', async (column, message, header, cells) => {
  const error = await refusal(`${header},${column}`, `${cells},2`);
  expect(error.message).toContain(`"${column}" ${message}`);
});

it('refuses two columns that mean the same', async () => {
  const error = await refusal(`${REQUIRED},stride,Strides`, `${CELLS},1,2`);
  expect(error).toMatchObject({ code: 'duplicate-column', column: 'Strides' });
  expect(error.message).toContain('found stride and Strides for stride');
});

it('reports unread columns once, and no known columns', async () => {
  const ignored: (readonly string[])[] = [];
  const header = `${REQUIRED},note,kernel,weight,power_w`;
  await one(header, `${CELLS},x,gemm,7,100`, (columns) => ignored.push(columns));
  expect(ignored).toEqual([['note', 'weight']]);
  for await (const { columns } of readSpecs(`${header}\n${CELLS},x,gemm,7,100\n`, 'a.csv')) {
    expect(columns).toEqual(header.split(','));
  }
});

it.each([
  ['semicolons', `${REQUIRED};time_ms`.replaceAll(',', ';'), 'semicolons between the columns'],
  ['tabs', `${REQUIRED},time_ms`.replaceAll(',', '\t'), 'tabs between the columns'],
  [
    'a line that names semicolons',
    `sep=;\n${REQUIRED}`.replaceAll(',', ';'),
    'semicolons between the columns',
  ],
])('reports the separator of a file with %s', async (_what, header, message) => {
  await expect(readAllSamples(`${header}\n${CELLS}\n`, 'a.csv')).rejects.toThrow(message);
});

it('skips the line of Excel that names commas, and rows of empty cells', async () => {
  const text = `sep=,\r\n${REQUIRED},time_ms\r\n${CELLS},0.5\r\n,,,,,,\r\n${CELLS},0.25\r\n,,,,,,\r\n`;
  const rows = await readAllSamples(text, 'a.csv');
  expect(rows.map(({ line, timeMs }) => [line, timeMs])).toEqual([
    [3, 0.5],
    [5, 0.25],
  ]);
});

it('reports a decimal comma, and that decimals have a point', async () => {
  const error = readAllSamples(`${REQUIRED},time_ms\n${CELLS},"0,5"\n`, 'a.csv');
  await expect(error).rejects.toThrow('found "0,5" (decimals have a point, not a comma)');
});

async function* bytes(...parts: (string | number[])[]) {
  for (const part of parts) {
    yield await Promise.resolve(typeof part === 'string' ? Buffer.from(part) : Buffer.from(part));
  }
}

it.each([
  ['a byte of Latin-1', [0xfc]],
  ['half a character at the end of a piece', [0xc3]],
])('refuses %s with line and column', async (_what, broken) => {
  const source = bytes(`${REQUIRED},time_ms,note\n${CELLS},0.5,ü\n${CELLS},0.5,gr`, broken, 'n\n');
  const error: unknown = await readAllSamples(source, 'a.csv').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'malformed', line: 3, column: 'note' });
});

it('reads UTF-16 with a byte order mark, and the replacement character', async () => {
  const text = `${REQUIRED},time_ms,note\n${CELLS},0.5,\uFFFD\n`;
  expect(await readAllSamples(bytes(text), 'a.csv')).toHaveLength(1);
  const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
  expect(await readAllSamples(bytes([...utf16]), 'a.csv')).toHaveLength(1);
});
