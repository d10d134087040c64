import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf } from '../host-processor.js';

const FOLDER = '/proc/driver/nvidia/gpus';

export interface NvidiaGpu {
  /** Null if the driver does not report it, or has not started the GPU yet. */
  readonly uuid: string | null;
  readonly model: string;
}

/** The GPUs by NVIDIA's driver on Linux; empty on other systems. */
export async function nvidiaGpus(folder = FOLDER): Promise<NvidiaGpu[]> {
  const entries = await readdir(folder).catch(() => []);
  const texts = await Promise.all(entries.map((entry) => textOf(join(folder, entry, 'information'))));
  return texts.flatMap((text) => {
    const model = /^Model:\s*(.+)$/m.exec(text ?? '')?.[1];
    const uuid = /^GPU UUID:\s*(GPU-[0-9a-f-]+)\s*$/m.exec(text ?? '')?.[1];
    return model === undefined ? [] : [{ uuid: uuid ?? null, model: model.trim() }];
  });
}
