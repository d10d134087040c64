// Stands in for @tensorflow/tfjs-node-gpu where there is no GPU: its convolutions are computed by plain loops. It checks
// what TensorFlow is told by the environment, and runs out of memory for outputs of 1024 channels.
const tf = require('@tensorflow/tfjs-core');
const { version_cpu: backendVersion } = require('@tensorflow/tfjs-backend-cpu');

const { TF_FORCE_GPU_ALLOW_GROWTH: growth, CUDA_VISIBLE_DEVICES: visible } = process.env;
if (growth !== 'true') throw new Error('TensorFlow would take all memory of the GPU');

module.exports = {
  ...tf,
  conv2d(x, weights, ...more) {
    if (weights.shape[3] === 1024) {
      throw new Error('OOM when allocating tensor with shape[1,28,28,1024] and type float on GPU:0');
    }
    if (weights.shape[3] === 1023) throw new Error('cuDNN launch failure');
    return tf.conv2d(x, weights, ...more);
  },
  version: { 'tfjs-node': backendVersion },
  backend: () => ({ binding: { TF_Version: '2.21.0', isUsingGpuDevice: () => visible !== '-1' } }),
};
