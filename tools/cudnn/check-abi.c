/*
 * What libs/executor-cudnn and libs/nvidia assume of CUDA and cuDNN, compared with the real headers: prints each value
 * beside the assumed one, BAD where they differ, and ends with how many do. A signature that differs does not compile.
 */
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <stdio.h>

static int bad;
#define EQ(x, want)                                                                                 \
  do {                                                                                              \
    long long found = (long long)(x);                                                               \
    printf("%-64s %6lld %6lld %s\n", #x, found, (long long)(want), found == (want) ? "" : (bad++, "BAD")); \
  } while (0)
#define SIGNATURE(f, result, ...) \
  _Static_assert(__builtin_types_compatible_p(__typeof__(&f), result (*)(__VA_ARGS__)), #f " has another signature");
#define CUDNN(f, ...) SIGNATURE(f, cudnnStatus_t, __VA_ARGS__)
#define CUDA(f, ...) SIGNATURE(f, cudaError_t, __VA_ARGS__)
typedef cudnnBackendDescriptor_t D;

int main(void) {
  EQ(sizeof(cudnnStatus_t), 4); EQ(sizeof(cudnnDataType_t), 4); EQ(sizeof(cudnnConvolutionMode_t), 4);
  EQ(sizeof(cudnnBackendHeurMode_t), 4); EQ(sizeof(cudnnBackendKnobType_t), 4); EQ(sizeof(cudnnBackendNumericalNote_t), 4);
  EQ(sizeof(cudaError_t), 4); EQ(sizeof(D), 8); EQ(sizeof(cudnnHandle_t), 8);
  EQ(CUDNN_DATA_FLOAT, 0); EQ(CUDNN_DATA_HALF, 2); EQ(CUDNN_DATA_BFLOAT16, 9); EQ(CUDNN_CROSS_CORRELATION, 1);
  EQ(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, 1); EQ(CUDNN_BACKEND_ENGINE_DESCRIPTOR, 2); EQ(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 3);
  EQ(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, 4); EQ(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, 5);
  EQ(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, 7); EQ(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, 10);
  EQ(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, 11);
  EQ(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, 12); EQ(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, 15);
  EQ(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, 16); EQ(CUDNN_BACKEND_TENSOR_DESCRIPTOR, 17);
  EQ(CUDNN_TYPE_HANDLE, 0); EQ(CUDNN_TYPE_DATA_TYPE, 1); EQ(CUDNN_TYPE_INT64, 3); EQ(CUDNN_TYPE_FLOAT, 4);
  EQ(CUDNN_TYPE_VOID_PTR, 6); EQ(CUDNN_TYPE_CONVOLUTION_MODE, 7); EQ(CUDNN_TYPE_HEUR_MODE, 8); EQ(CUDNN_TYPE_KNOB_TYPE, 9);
  EQ(CUDNN_TYPE_NUMERICAL_NOTE, 11); EQ(CUDNN_TYPE_BACKEND_DESCRIPTOR, 15);
  EQ(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, 100); EQ(CUDNN_ATTR_CONVOLUTION_CONV_MODE, 101); EQ(CUDNN_ATTR_CONVOLUTION_DILATIONS, 102);
  EQ(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 103); EQ(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 104);
  EQ(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 105); EQ(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 106);
  EQ(CUDNN_ATTR_ENGINEHEUR_MODE, 200); EQ(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, 201); EQ(CUDNN_ATTR_ENGINEHEUR_RESULTS, 202);
  EQ(CUDNN_ATTR_ENGINECFG_ENGINE, 300); EQ(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, 302);
  EQ(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, 400); EQ(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, 401);
  EQ(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 402); EQ(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, 600);
  EQ(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, 601);
#define OPERATION(NAME, first, X, Y, W)                                                                            \
  EQ(CUDNN_ATTR_OPERATION_CONVOLUTION_##NAME##_ALPHA, first); EQ(CUDNN_ATTR_OPERATION_CONVOLUTION_##NAME##_BETA, first + 1); \
  EQ(CUDNN_ATTR_OPERATION_CONVOLUTION_##NAME##_CONV_DESC, first + 2); EQ(CUDNN_ATTR_OPERATION_CONVOLUTION_##NAME##_##W, first + 3); \
  EQ(CUDNN_ATTR_OPERATION_CONVOLUTION_##NAME##_##X, first + 4); EQ(CUDNN_ATTR_OPERATION_CONVOLUTION_##NAME##_##Y, first + 5)
  OPERATION(FORWARD, 700, X, Y, W); OPERATION(BWD_DATA, 706, DX, DY, W); OPERATION(BWD_FILTER, 712, X, DY, DW);
  EQ(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, 800); EQ(CUDNN_ATTR_OPERATIONGRAPH_OPS, 801);
  EQ(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 900); EQ(CUDNN_ATTR_TENSOR_DATA_TYPE, 901); EQ(CUDNN_ATTR_TENSOR_DIMENSIONS, 902);
  EQ(CUDNN_ATTR_TENSOR_STRIDES, 903); EQ(CUDNN_ATTR_TENSOR_UNIQUE_ID, 906);
  EQ(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, 1000); EQ(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, 1001);
  EQ(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, 1003); EQ(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, 1301); EQ(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, 1303);
  EQ(CUDNN_HEUR_MODE_INSTANT, 0); EQ(CUDNN_HEUR_MODE_FALLBACK, 2);
  EQ(CUDNN_NUMERICAL_NOTE_TENSOR_CORE, 0); EQ(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, 1);
  EQ(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, 2); EQ(CUDNN_NUMERICAL_NOTE_FFT, 3);
  EQ(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, 4); EQ(CUDNN_NUMERICAL_NOTE_WINOGRAD, 5);
  EQ(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4, 6); EQ(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6, 7);
  EQ(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13, 8);
#if CUDNN_VERSION >= 90800
  EQ(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, 38); EQ(CUDNN_TYPE_CHAR, 24); EQ(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, 204);
  EQ(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, 407); EQ(CUDNN_ATTR_DEVICEPROP_HANDLE, 2701);
  EQ(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, 2702); EQ(CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP, 9);
#endif
#if CUDNN_MAJOR >= 9
  EQ(CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER, 3005); EQ(CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE, 3009);
#endif
  EQ(cudaMemcpyHostToDevice, 1); EQ(cudaMemcpyDeviceToHost, 2); EQ(cudaMemcpyDeviceToDevice, 3); EQ(cudaStreamNonBlocking, 1);
  EQ(cudaStreamCaptureModeThreadLocal, 1); EQ(cudaEventRecordExternal, 1);
  EQ(cudaDevAttrMultiProcessorCount, 16); EQ(cudaDevAttrL2CacheSize, 38); EQ(cudaDevAttrComputeCapabilityMajor, 75);
  EQ(cudaDevAttrComputeCapabilityMinor, 76);
  CUDNN(cudnnCreate, cudnnHandle_t *) CUDNN(cudnnDestroy, cudnnHandle_t) CUDNN(cudnnSetStream, cudnnHandle_t, cudaStream_t)
  CUDNN(cudnnBackendCreateDescriptor, cudnnBackendDescriptorType_t, D *) CUDNN(cudnnBackendDestroyDescriptor, D)
  CUDNN(cudnnBackendSetAttribute, D, cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, int64_t, const void *)
  CUDNN(cudnnBackendGetAttribute, const D, cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, int64_t, int64_t *, void *)
  CUDNN(cudnnBackendFinalize, D) CUDNN(cudnnBackendExecute, cudnnHandle_t, D, D)
  SIGNATURE(cudnnGetVersion, size_t, void) SIGNATURE(cudnnGetCudartVersion, size_t, void)
  CUDA(cudaMemcpyAsync, void *, const void *, size_t, enum cudaMemcpyKind, cudaStream_t)
  CUDA(cudaMemsetAsync, void *, int, size_t, cudaStream_t) CUDA(cudaStreamBeginCapture, cudaStream_t, enum cudaStreamCaptureMode)
  CUDA(cudaStreamEndCapture, cudaStream_t, cudaGraph_t *)
  CUDA(cudaGraphInstantiateWithFlags, cudaGraphExec_t *, cudaGraph_t, unsigned long long)
  CUDA(cudaGraphLaunch, cudaGraphExec_t, cudaStream_t) CUDA(cudaEventRecordWithFlags, cudaEvent_t, cudaStream_t, unsigned int)
  CUDA(cudaEventElapsedTime, float *, cudaEvent_t, cudaEvent_t) CUDA(cudaDeviceGetPCIBusId, char *, int, int)
  CUDA(cudaDeviceGetAttribute, int *, enum cudaDeviceAttr, int) CUDA(cudaMemGetInfo, size_t *, size_t *)
  CUDA(cudaStreamCreateWithFlags, cudaStream_t *, unsigned int) CUDA(cudaEventCreateWithFlags, cudaEvent_t *, unsigned int)
  printf("check-abi: %d values differ from cuDNN %d, CUDA %d; all signatures agree\n", bad, (int)CUDNN_VERSION, CUDART_VERSION);
  return bad != 0;
}
