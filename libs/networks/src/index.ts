export {
  NETWORK_FORMATS,
  NetworkError,
  type Network,
  type NetworkErrorCode,
  type NetworkFormat,
  type NetworkLayer,
  type NotCosted,
  type ReadOptions,
} from './network.js';
export { MAX_NETWORK_BYTES, MAX_TOPOLOGY_BYTES, readNetwork } from './read-network.js';
