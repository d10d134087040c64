export * from './catalogue.module.js';
export { KernelMapSettings } from './kernel-maps/label-requests.js';
