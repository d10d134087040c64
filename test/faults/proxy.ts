import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

type Mode = 'through' | 'refused' | 'stalled' | 'swallowed';

/** Both ends of one connection. */
interface Pair {
  ends: readonly [Socket, Socket];
  /** Whatever arrives is thrown away. */
  swallows: boolean;
}

/** A TCP proxy on loopback that misbehaves on request, as networks do. */
export class Proxy {
  private mode: Mode = 'through';
  private readonly pairs = new Set<Pair>();
  /** All that are open. Of a swallowed pair one may be left whose other end has gone long ago. */
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

  /** Nothing gets through; then everything does, late. */
  async stall(ms: number): Promise<void> {
    for (const { ends } of this.pairs) for (const end of ends) end.pause();
    await this.during('stalled', ms);
    for (const { ends } of this.pairs) for (const end of ends) end.resume();
  }

  /** What is sent is lost, for ever on the connections there are and were made meanwhile; nobody is informed. */
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
      // Of a swallowed pair the other side never hears that this one has gone.
    });
  }
}
