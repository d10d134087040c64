import { textIn } from '@alphaflops/nvidia';
import { type Backend, type Descriptor, type Handle, OLDEST_DEVICELESS_VERSION } from './backend.js';
import { Descriptors, references, text } from './descriptors.js';

/** cudnnBackendAttributeName_t. */
const DEVICE = { handle: 2701, json: 2702 } as const;

/** The device properties for cuDNN's heuristics, in cuDNN's JSON; null before cuDNN 9.8. @throws GpuError */
export function readDeviceProperties(backend: Backend, handle: Handle): string | null {
  if (backend.versionNumber < OLDEST_DEVICELESS_VERSION) return null;
  const descriptors = new Descriptors(backend);
  try {
    const device = descriptors.finalized('deviceProperties', [references(DEVICE.handle, 'handle', handle)]);
    const json = Buffer.alloc(backend.get(device, DEVICE.json, 'char', null) + 1);
    backend.get(device, DEVICE.json, 'char', json);
    return textIn(json);
  } finally {
    descriptors.destroyAll();
  }
}

/** The device that a JSON of `readDeviceProperties` describes, from this or another machine. @throws GpuError */
export function describedDevice(descriptors: Descriptors, json: string): Descriptor {
  return descriptors.finalized('deviceProperties', [text(DEVICE.json, json.trim())]);
}
