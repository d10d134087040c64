// A proxy for the MongoDB protocol. It forwards a command of any connection only after the previous command was
// answered. FerretDB 1.x does not change a document atomically; with this proxy, all other behaviour can be tested.
import { Buffer } from 'node:buffer';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/**
 * @param {number} serverPort on 127.0.0.1
 * @returns {Promise<import('node:net').Server>} on a free port of 127.0.0.1
 */
export async function oneAtATime(serverPort) {
  let last = Promise.resolve();
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    const answers = messagesOf(server);
    const close = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', close).on('close', close);
    void (async () => {
      for await (const command of messagesOf(client)) {
        const turn = last.then(async () => {
          if (server.destroyed) return;
          server.write(command);
          const { value: answer, done } = await answers.next();
          if (!done) client.write(answer);
        });
        last = turn.catch(() => undefined);
        await turn;
      }
    })().catch(close);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

/** Splits a stream into messages. The first four bytes of a message are its length. */
async function* messagesOf(socket) {
  let bytes = Buffer.alloc(0);
  for await (const piece of socket) {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) {
      const length = bytes.readInt32LE(0);
      yield bytes.subarray(0, length);
      bytes = bytes.subarray(length);
    }
  }
}
