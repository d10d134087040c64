/** Takes the lease of the device that is named and says so; ends when its parent does, or by force. */
import { lockGpu } from '../dist/gpu-lock.js';

await lockGpu(process.argv[2]);
process.on('disconnect', () => process.exit());
process.send('held');
