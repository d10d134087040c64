import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { readIfPresent } from '../credentials.js';
import { Installation } from './installation.js';
import { removeService } from './service.js';

/**
 * Removes the worker, its credentials and its service. Workers that run finish their batch first.
 * @param file credentials
 */
export async function uninstall(file: string, print: (text: string) => void): Promise<void> {
  const { installation } = Installation.own();
  if (removeService()) print('The service is stopped and removed.\n');
  for (const pid of installation.running()) {
    try {
      process.kill(pid, 'SIGTERM');
      print(`Process ${pid} leaves after its batch.\n`);
    } catch {
      // The process has ended meanwhile.
    }
  }
  const credentials = await readIfPresent(file).catch(() => null);
  rmSync(file, { force: true });
  try {
    rmdirSync(dirname(file));
  } catch {
    // The folder contains other files.
  }
  rmSync(installation.root, { recursive: true, force: true });
  print(`${installation.root} and ${file} are removed.\n`);
  if (credentials !== null) {
    print(
      `The coordinator still knows this worker. To revoke it, run there: alphaflops worker revoke ${credentials.workerId}\n`,
    );
  }
}
