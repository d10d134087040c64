/** `write-schema.js FILE`: the protocol of external programs as JSON Schema. */
import { writeFileSync } from 'node:fs';
import { protocolJsonSchema } from './protocol.js';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('write-schema.js FILE: where is it to be written?');
writeFileSync(file, `${JSON.stringify(protocolJsonSchema(), null, 2)}\n`);
