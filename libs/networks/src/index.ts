export { allBytes, bytesSource, type ByteSource } from './byte-source.js';
export { completenessText } from './completeness.js';
export {
  NETWORK_FORMATS,
  NetworkError,
  type Completeness,
  type Missing,
  type Network,
  type NetworkErrorCode,
  type NetworkFormat,
  type NetworkLayer,
  type NotCosted,
  type ReadOptions,
} from './network.js';
export { checkSize, MAX_NETWORK_BYTES, MAX_TOPOLOGY_BYTES, readNetwork } from './read-network.js';
