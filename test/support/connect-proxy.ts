import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/**
 * A proxy that tunnels (CONNECT) to known names only, which it resolves to ports of this machine.
 * @param ports `host:port` as clients name it → port on 127.0.0.1
 */
export async function connectProxy(ports: Readonly<Record<string, number>>) {
  const targets: string[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(405).end();
  });
  server.on('connect', ({ url = '' }, client, head) => {
    targets.push(url);
    const port = ports[url];
    if (port === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    /** The requested addresses. */
    targets,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
