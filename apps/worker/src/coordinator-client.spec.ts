import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoordinatorClient } from './coordinator-client.js';

let server: Server;
let url: string;
let answer: RequestListener;
beforeAll(async () => {
  server = createServer((request, response) => {
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/behind/a/proxy`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const beat = (signal = new AbortController().signal) =>
  new CoordinatorClient(url, 'hush').heartbeat('w1', { activity: 'idle' }, signal);

function respond(status: number, body: string): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
}

function problem(status: number, changes: object = {}): RequestListener {
  const about = { type: 'urn:alphaflops:problem:x', title: 't', status, code: 'x', requestId: 'r' };
  return respond(status, JSON.stringify({ ...about, detail: 'The token is expired.', ...changes }));
}

describe('coordinator client', () => {
  it('posts JSON with the bearer token to paths below the given address', async () => {
    let seen: unknown;
    answer = (request, response) => {
      const { method, headers, url: path } = request;
      seen = { method, path, authorization: headers.authorization, type: headers['content-type'] };
      respond(200, JSON.stringify({ desiredState: 'paused', reason: null }))(request, response);
    };
    expect(await beat()).toEqual({ desiredState: 'paused', reason: null });
    expect(seen).toEqual({
      method: 'POST',
      path: '/behind/a/proxy/v1/workers/w1/heartbeat',
      authorization: 'Bearer hush',
      type: 'application/json',
    });
  });

  it.each([
    ['an expired token', problem(401), 'refused', /says: The token is expired\./],
    ['a revoked worker', problem(403), 'refused', /says/],
    [
      'a wrong field',
      problem(422, { errors: [{ path: 'name', message: 'too long' }] }),
      'rejected',
      /name: too long/,
    ],
    ['a coordinator that is not ready', problem(503), 'unreachable', /says/],
    ['too many requests', problem(429), 'unreachable', /says/],
    ['a gateway without its coordinator', respond(502, '<html>'), 'unreachable', /answers 502/],
    ['another web server', respond(404, '<html>'), 'bad-answer', /Is the URL right\?/],
    ['a redirection', respond(302, ''), 'bad-answer', /answers 302/],
    ['another program with JSON', respond(200, '{"ok":true}'), 'bad-answer', /\(desiredState\)/],
  ])('calls %s by its name', async (_what, listener, code, message) => {
    answer = listener;
    await expect(beat()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(beat()).rejects.not.toThrow(/hush/);
  });

  it('reports why a connection fails or breaks', async () => {
    answer = (request) => request.socket.destroy();
    await expect(beat()).rejects.toMatchObject({ code: 'unreachable' });
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const nobody = new CoordinatorClient(`http://127.0.0.1:${port}`, 'hush');
    await expect(
      nobody.openSession('w1', { version: '1', protocolVersion: 1, devices: [] }),
    ).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/does not answer \(.*ECONNREFUSED/),
    });
  });

  it('stops waiting when the signal fires', async () => {
    const leaving = new AbortController();
    answer = () => {
      leaving.abort();
    };
    await expect(beat(leaving.signal)).rejects.toMatchObject({ code: 'unreachable' });
  });
});
