export * from './network.js';
export { MAX_NETWORK_BYTES, MAX_TOPOLOGY_BYTES, readNetwork } from './read-network.js';
