import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorText as messageOf } from '@alphaflops/contracts/text';
import { CliError } from '../error.js';

/**
 * Tries the address before anything starts. * @throws CliError `failed` with advice what to choose instead
 */
export async function checkAddress(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new CliError('failed', advice(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  server.close();
  await once(server, 'close');
}

function advice(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} is in use by another program. Choose another one with --port, or --port 0 for any free port.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}. Choose an address of this machine with --host, or 0.0.0.0 for all of them.`;
    case 'EACCES':
      return `Port ${port} needs rights that this user does not have. Choose a port above 1023 with --port.`;
    default:
      return `Cannot listen on ${host}, port ${port}: ${messageOf(error)}.`;
  }
}
