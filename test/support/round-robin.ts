import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address for several servers. Each connection goes to the next server that accepts it. */
export interface RoundRobin {
  readonly url: string;
  /** Number of connections that each server has accepted. */
  readonly taken: readonly number[];
  readonly close: () => void;
}

export async function startRoundRobin(servers: readonly string[]): Promise<RoundRobin> {
  const ports = servers.map((url) => Number(new URL(url).port));
  const taken = ports.map(() => 0);
  const open = new Set<Socket>();
  let next = 0;

  const pass = (from: Socket, triesLeft: number): void => {
    const index = next++ % ports.length;
    const to = connect(ports[index] ?? 0, '127.0.0.1');
    let isConnected = false;
    to.on('error', () => {
      // The server is down: try the next one until all were tried.
      if (!isConnected && triesLeft > 1) pass(from, triesLeft - 1);
      else from.destroy();
    });
    to.once('connect', () => {
      isConnected = true;
      taken[index] = (taken[index] ?? 0) + 1;
      from.pipe(to).pipe(from);
      for (const [one, other] of [[from, to] as const, [to, from] as const]) {
        one.once('close', () => other.destroy());
      }
    });
  };
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    pass(socket, ports.length);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
