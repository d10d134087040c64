import { PassThrough, Readable } from 'node:stream';
import type { DatasetFile } from '@alphaflops/dataset';
import yazl from 'yazl';

/** Fixed, so that the same files give the same archive. */
const TIME = new Date('1980-01-02T00:00:00Z');

/** A ZIP file with these files in a folder. It is built while it is read, one file after the other. */
export function zipOf(files: readonly DatasetFile[], folder: string): Readable {
  const zip = new yazl.ZipFile();
  const output = new PassThrough();
  const fail = (error: Error): void => {
    output.destroy(error);
  };
  zip.on('error', fail);
  for (const { path, content } of files) {
    // Parquet is already compressed.
    const options = { mtime: TIME, compress: !path.endsWith('.parquet') };
    zip.addReadStreamLazy(`${folder}/${path}`, options, (use) => {
      use(null, Readable.from(content()).on('error', fail));
    });
  }
  zip.end();
  zip.outputStream.pipe(output);
  return output;
}
