import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

type Mode = 'through' | 'refused' | 'stalled' | 'swallowed';

/** Both ends of one connection. */
interface Pair {
  ends: readonly [Socket, Socket];
  /** Discards all data. */
  swallows: boolean;
}

/** A TCP proxy on loopback that causes network faults on request. */
export class Proxy {
  private mode: Mode = 'through';
  private readonly pairs = new Set<Pair>();
  /** All open connections. In a swallowed pair, one end may remain after the other end has closed. */
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly upstreamPort: number,
  ) {
    server.on('connection', (client) => {
      this.accept(client);
    });
  }

  static async to(upstreamPort: number): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new Proxy(server, upstreamPort);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** Resets all connections, and every new one. */
  async refuse(ms: number): Promise<void> {
    for (const { ends } of this.pairs) for (const end of ends) end.resetAndDestroy();
    await this.during('refused', ms);
  }

  /** Ends one direction of every connection. */
  halfClose(side: 0 | 1): void {
    for (const { ends } of this.pairs) ends[side].end();
  }

  /** Blocks all data, and delivers it later. */
  async stall(ms: number): Promise<void> {
    for (const { ends } of this.pairs) for (const end of ends) end.pause();
    await this.during('stalled', ms);
    for (const { ends } of this.pairs) for (const end of ends) end.resume();
  }

  /** Discards all data without an error, permanently on connections that exist or are made during the fault. */
  async swallow(ms: number): Promise<void> {
    for (const pair of this.pairs) pair.swallows = true;
    await this.during('swallowed', ms);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private async during(mode: Mode, ms: number): Promise<void> {
    this.mode = mode;
    await setTimeout(ms);
    this.mode = 'through';
  }

  private accept(client: Socket): void {
    if (this.mode === 'refused') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: this.upstreamPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { ends: [client, upstream], swallows: this.mode === 'swallowed' };
    this.pairs.add(pair);
    this.carry(pair, client, upstream);
    this.carry(pair, upstream, client);
    if (this.mode === 'stalled') for (const end of pair.ends) end.pause();
  }

  private carry(pair: Pair, from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.on('data', (piece) => {
      if (!pair.swallows && to.writable) to.write(piece);
    });
    from.on('end', () => {
      if (!pair.swallows) to.end();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      this.pairs.delete(pair);
      if (!pair.swallows) to.destroy();
      // In a swallowed pair, the other side does not learn that this side has closed.
    });
  }
}
