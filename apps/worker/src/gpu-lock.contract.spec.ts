/** Leases between real processes, on the build: `npm run build` first. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { lockGpu, lockGpus } from './gpu-lock.js';

const HOLD = fileURLToPath(new URL('../test/hold-gpu.mjs', import.meta.url));
const onLinux = platform() === 'linux';

(onLinux ? describe : describe.skip)(`a lease${onLinux ? '' : ' (skipped: only Linux has them)'}`, () => {
  const uuid = `GPU-${randomUUID()}`;
  let holder: ChildProcess | null = null;

  afterEach(() => {
    holder?.kill('SIGKILL');
    holder = null;
  });

  async function held(): Promise<ChildProcess> {
    holder = fork(HOLD, [uuid], { execArgv: [] });
    expect(await Promise.race([once(holder, 'message'), once(holder, 'exit')])).toEqual(['held', undefined]);
    return holder;
  }

  it('is refused while another process has it, with its process id, and free as soon as that process is killed', async () => {
    const { pid } = await held();
    await expect(lockGpu(uuid)).rejects.toMatchObject({
      code: 'device-in-use',
      message: expect.stringContaining(`${uuid} is in use by process ${pid ?? 0}, another worker`),
    });
    const dead = once(holder as unknown as ChildProcess, 'exit');
    holder?.kill('SIGKILL');
    await dead;
    const lease = await lockGpu(uuid);
    await lease.close();
  });

  it('is refused to another process while this one has it, and free when it is released', async () => {
    const lease = await lockGpu(uuid);
    const refused = fork(HOLD, [uuid], { execArgv: [], silent: true });
    let output = '';
    refused.stderr?.on('data', (piece: Buffer) => (output += piece.toString()));
    expect((await once(refused, 'close'))[0]).toBe(1);
    expect(output).toContain(`is in use by process ${process.pid}`);
    await lease.close();
    await held();
  });

  it('locks each GPU once, locks no processor, and locks all or none', async () => {
    const [first, cpu] = [
      { uuid: `GPU-${randomUUID()}`, kind: 'gpu' as const },
      { uuid: `cpu-${randomUUID()}`, kind: 'cpu' as const },
    ];
    const leases = await lockGpus([first, cpu, first]);
    expect(leases).toHaveLength(1);
    await held();
    for (const lease of leases) await lease.close();
    await expect(lockGpus([first, { uuid, kind: 'gpu' }])).rejects.toMatchObject({ code: 'device-in-use' });
    const again = await lockGpus([first]);
    for (const lease of again) await lease.close();
  });
});
