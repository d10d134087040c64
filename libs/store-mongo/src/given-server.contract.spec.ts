import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { firstLine } from '@alphaflops/store/conformance';

const PROGRAM = join(import.meta.dirname, '../../../tools/mongodb-for-tests.mjs');

async function answerFor(uri: string): Promise<{ error?: string; skip?: string }> {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: 'pipe',
    env: { ...process.env, MONGODB_URI: uri },
  });
  const ended = once(child, 'exit');
  const answer = JSON.parse(await firstLine(child)) as { error?: string; skip?: string };
  child.stdin.end();
  await ended;
  return answer;
}

it('reports an error and does not skip when MONGODB_URI is refused or is not a URI', async () => {
  for (const uri of ['mongodb://127.0.0.1:1/', 'mongo:wrong']) {
    expect((await answerFor(uri)).error).toContain('MONGODB_URI is set, and its server cannot be used');
  }
}, 30_000);

it('reports an error within 15 s when the server accepts the connection and does not answer', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const beganMs = performance.now();
  const { error } = await answerFor(`mongodb://127.0.0.1:${(silent.address() as AddressInfo).port}/`);
  expect(error).toContain('MONGODB_URI is set');
  expect(performance.now() - beganMs).toBeLessThan(15_000);
  silent.close();
}, 30_000);
