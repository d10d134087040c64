import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient } from './index.js';
import { withSchemeCheck } from './scheme-check.js';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function tlsServer(): Server {
  const folder = mkdtempSync(join(tmpdir(), 'alphaflops-scheme-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...made, '-subj', '/CN=t', '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const server = createHttpsServer({ cert: readFileSync(cert), key: readFileSync(key) });
  rmSync(folder, { recursive: true });
  return server;
}

const refusal = (url: string) =>
  createApiClient({ url, token: 't', fetch: withSchemeCheck(globalThis.fetch) })
    .GET('/healthz')
    .then(
      () => '',
      (error: unknown) => (error as Error).message,
    );

it('reports a port that speaks http when the URL has https', async () => {
  const host = await listening(createHttpServer());
  expect(await refusal(`https://${host}`)).toBe(`${host} speaks http, not https: use http://${host}.`);
});

it('reports a port that speaks https when the URL has http', async () => {
  const host = await listening(tlsServer());
  expect(await refusal(`http://${host}`)).toBe(`${host} speaks https, not http: use https://${host}.`);
});

it('does not change other failures', async () => {
  const host = await listening(createHttpServer((request) => request.socket.destroy()));
  expect(await refusal(`http://${host}`)).toContain('No coordinator answers');
  expect(await refusal('http://127.0.0.1:1')).toContain('No coordinator answers');
});
