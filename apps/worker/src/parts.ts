/** The parts of a worker, for programs that simulate many of them (tools/bench). */
export { measuring, type Origin, runBatch } from './batch.js';
export { CoordinatorClient } from './coordinator-client.js';
export { DeviceWork } from './device-work.js';
export { Heartbeat } from './heartbeat.js';
export { Leases } from './leases.js';
export { Log } from './log.js';
export { Turns } from './turns.js';
export { wait } from './wait.js';
