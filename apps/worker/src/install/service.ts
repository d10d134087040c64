import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { quoted } from './installation.js';

const UNIT = 'alphaflops-worker.service';
const UNIT_FILE = join(homedir(), '.config/systemd/user', UNIT);

/**
 * Keeps the worker running as a service of this user. Without systemd for users, prints an alternative.
 * @param command program and arguments, each one word
 */
export function installService(command: readonly string[], print: (text: string) => void): void {
  if (!systemctl('show-environment')) {
    print(
      'This user has no systemd here. To keep the worker running, add this command to the programs that start with\n' +
        `this machine, for example with "@reboot" in crontab -e:\n\n  ${command.map(quoted).join(' ')}\n\n`,
    );
    return;
  }
  mkdirSync(dirname(UNIT_FILE), { recursive: true });
  writeFileSync(UNIT_FILE, unit(command));
  // A worker that runs already finishes its batch first.
  const isStarted = systemctl('daemon-reload') && systemctl('enable', UNIT) && systemctl('restart', UNIT);
  print(
    isStarted
      ? `The worker runs as a service: systemctl --user status ${UNIT}; its log: journalctl --user -u ${UNIT}.\n` +
          `It ends when you log out, unless you run this once: loginctl enable-linger ${userInfo().username}\n`
      : `systemd did not start ${UNIT_FILE}: see systemctl --user status ${UNIT}.\n`,
  );
}

/** Returns whether a service existed. */
export function removeService(): boolean {
  if (!existsSync(UNIT_FILE)) return false;
  systemctl('disable', '--now', UNIT);
  rmSync(UNIT_FILE);
  systemctl('daemon-reload');
  return true;
}

/** The current batch may take some minutes before the service is stopped. */
function unit(command: readonly string[]): string {
  const words = command.map(
    (word) => `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`,
  );
  return `[Unit]
Description=alphaflops worker
After=network-online.target

[Service]
ExecStart=${words.join(' ')}
Restart=on-failure
RestartSec=10
TimeoutStopSec=600
KillMode=mixed

[Install]
WantedBy=default.target
`;
}

function systemctl(...words: string[]): boolean {
  return spawnSync('systemctl', ['--user', ...words], { stdio: 'ignore', timeout: 620_000 }).status === 0;
}
