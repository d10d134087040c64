/*
 * A GPU that does not exist: the parts of the CUDA runtime, cuDNN and NVML that the executor calls, in one library
 * that is linked under the three names. It computes for real, on the processor, when results are read; times follow a
 * law and pass in no time. fake_violations describes wrong calls, and fake_live describes resources that were not
 * freed.
 *
 * The law: a convolution takes 2 us and 1 us for each 100,000 multiply-adds, times 2 for engine 0 and 1/2 for engine
 * 6; a memset 1 us for each 1,000,000 bytes; each launch outside a graph 5 us more. The energy counter advances every
 * 100 ms of that time, at 300 W. The power is 70 W until the newest stream had work.
 *
 * Faults (fake_fault, or the environment variable FAKE_GPU_FAULT): no-device, old-driver, out-of-memory,
 * no-algorithm, workspace, launch, broken, abort, no-handle, cudnn-8.8, device, hang, crash, wrong, no-energy, hot,
 * power, mig; t4: always at its power limit of 70 W, its SM clock at 55 to 70 % of its maximum of 1590 MHz.
 */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define CAPACITY (16u << 20)
#define L2_BYTES (1u << 20)
#define POWER_W 300
#define IDLE_W 70

enum { OK = 0, NOMEM = 2, BADVALUE = 1, NODEVICE = 100, OLDDRIVER = 35, LAUNCHFAILURE = 719, CAPTURE = 900 };
enum { DNN_BADPARAM = 2000, DNN_NOTFINAL = 2004, DNN_UNSUPPORTED = 3000, DNN_SUBLIBRARY = 3009, DNN_NODEVICE = 1001, DNN_EXECUTION = 5000 };

/* --- faults, violations, what is alive ------------------------------------------------------------------------- */

static char fault[64], violations[4096];
static int fault_read;

static int is_fault(const char *name) {
  if (!fault_read) {
    const char *value = getenv("FAKE_GPU_FAULT");
    if (value) snprintf(fault, sizeof fault, "%s", value);
    fault_read = 1;
  }
  return strcmp(fault, name) == 0;
}
EXPORT int fake_fault(const char *name) {
  snprintf(fault, sizeof fault, "%s", name);
  fault_read = 1;
  return 0;
}

static void violate(const char *format, ...) {
  size_t used = strlen(violations);
  va_list args;
  va_start(args, format);
  if (used < sizeof violations - 200) {
    vsnprintf(violations + used, 200, format, args);
    strcat(violations, "\n");
  }
  va_end(args);
}
EXPORT int fake_violations(char *text, size_t size) {
  snprintf(text, size, "%s", violations);
  violations[0] = 0;
  return 0;
}

typedef enum { MEMORY, STREAM, EVENT, GRAPH, EXEC, HANDLE, BACKEND, KINDS } Kind;
static const char *kind_names[] = {"memory", "stream", "event", "graph", "exec", "handle", "descriptor"};

typedef struct Object {
  Kind kind;
  size_t bytes; /* of memory */
  void *data;
  struct Object *next;
} Object;
static Object *objects;
static int live[KINDS];
static size_t used_bytes;

static void *adopt(Kind kind, size_t bytes) {
  Object *object = calloc(1, sizeof *object);
  object->kind = kind;
  object->bytes = bytes;
  object->data = calloc(1, bytes ? bytes : 1);
  /* Memory that was never written contains NaN. */
  if (kind == MEMORY) memset(object->data, 0xff, bytes);
  object->next = objects;
  objects = object;
  live[kind]++;
  return object->data;
}
static Object *find(Kind kind, const void *pointer) {
  for (Object *o = objects; o; o = o->next)
    if (o->kind == kind && (char *)pointer >= (char *)o->data &&
        (char *)pointer < (char *)o->data + (kind == MEMORY ? o->bytes : 1))
      return o;
  return NULL;
}
static int disown(Kind kind, void *pointer, const char *call) {
  for (Object **o = &objects; *o; o = &(*o)->next)
    if ((*o)->kind == kind && (*o)->data == pointer) {
      Object *gone = *o;
      *o = gone->next;
      live[kind]--;
      free(gone->data);
      free(gone);
      return 1;
    }
  violate("%s: %p is not a live %s", call, pointer, kind_names[kind]);
  return 0;
}
static int is_live(Kind kind, const void *pointer, const char *call) {
  if (find(kind, pointer)) return 1;
  violate("%s: %p is not a live %s", call, pointer, kind_names[kind]);
  return 0;
}
/* Whether a range lies inside one allocation. */
static int holds(const void *pointer, size_t bytes, const char *call) {
  Object *o = find(MEMORY, pointer);
  if (o && (char *)pointer + bytes <= (char *)o->data + o->bytes) return 1;
  violate("%s: %zu bytes at %p are not inside an allocation", call, bytes, pointer);
  return 0;
}
EXPORT int fake_live(char *text, size_t size) {
  text[0] = 0;
  for (int kind = 0; kind < KINDS; kind++)
    if (live[kind]) snprintf(text + strlen(text), size - strlen(text), "%d %s ", live[kind], kind_names[kind]);
  return 0;
}

/* --- descriptors, work and its law ------------------------------------------------------------------------------ */

typedef struct { int set, type, size[4], stride[4]; } Tensor;
/* Pass 0: forward; 1: the gradient of x; 2: the gradient of w. */
typedef struct { int pass, pad[2], after[2], stride[2], dilation[2], groups; } Conv;

typedef enum { RUN_CONV, RUN_ZERO, RUN_EVENT } Task;
typedef struct {
  Task task;
  Tensor x, w, y;
  Conv conv;
  int algorithm;
  char *xp, *wp, *yp;
  size_t bytes;
  void *event;
} Work;

typedef struct { double recorded_us; int is_recorded; } Event;
typedef struct { int count, room; Work *list; } Graph;

static double now_us, stream_made_us;
static Graph pending;   /* computed when a result is read */
static Graph *capturing;
static char last_conv[400];

static long long macs(const Work *work) {
  const int *y = work->y.size, *w = work->w.size;
  return (long long)y[0] * y[1] * y[2] * y[3] * w[1] * w[2] * w[3];
}
static double work_us(const Work *work) {
  double factor = work->algorithm == 0 ? 2 : work->algorithm == 6 ? 0.5 : 1;
  switch (work->task) {
    case RUN_CONV: return factor * (2 + macs(work) / 1e5);
    case RUN_ZERO: return work->bytes / 1e6;
    default: return 0;
  }
}
static void append(Graph *graph, const Work *work) {
  if (graph->count == graph->room) graph->list = realloc(graph->list, (graph->room += 64) * sizeof *work);
  graph->list[graph->count++] = *work;
}
static void enqueue(const Work *work) {
  now_us += work_us(work);
  if (work->task == RUN_EVENT) {
    if (!is_live(EVENT, work->event, "graph")) return;
    ((Event *)work->event)->recorded_us = now_us;
    ((Event *)work->event)->is_recorded = 1;
    return;
  }
  for (int i = 0; i < pending.count; i++)
    if (memcmp(&pending.list[i], work, sizeof *work) == 0) return;
  append(&pending, work);
}
static int submit(const Work *work) {
  if (capturing) append(capturing, work);
  else {
    now_us += 5;
    enqueue(work);
  }
  return OK;
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

static int size_of(int type) { return type == 0 ? 4 : 2; }
static double get(const char *at, int type, long long index) {
  if (type == 0) return ((float *)at)[index];
  uint16_t raw = ((uint16_t *)at)[index];
  if (type == 2) {
    _Float16 half;
    memcpy(&half, &raw, 2);
    return half;
  }
  uint32_t bits = (uint32_t)raw << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
static void put(char *at, int type, long long index, double value) {
  if (type == 0) ((float *)at)[index] = value;
  else if (type == 2) {
    _Float16 half = value;
    memcpy((uint16_t *)at + index, &half, 2);
  } else {
    float single = value;
    uint32_t bits;
    memcpy(&bits, &single, 4);
    ((uint16_t *)at)[index] = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  }
}
static long long at(const Tensor *t, int n, int c, int h, int w) {
  return (long long)n * t->stride[0] + (long long)c * t->stride[1] + (long long)h * t->stride[2] + (long long)w * t->stride[3];
}
static size_t span(const Tensor *t) {
  return (at(t, t->size[0] - 1, t->size[1] - 1, t->size[2] - 1, t->size[3] - 1) + 1) * size_of(t->type);
}

/* The element that a packed index names, in the order n, c, h, w. */
static long long element(const Tensor *t, long long packed) {
  const int *s = t->size;
  int w = packed % s[3], h = packed / s[3] % s[2], c = packed / s[3] / s[2] % s[1], n = packed / s[3] / s[2] / s[1];
  return at(t, n, c, h, w);
}
static void compute_conv(const Work *k) {
  const int *y = k->y.size, *x = k->x.size, *w = k->w.size;
  int top = is_fault("wrong") ? k->conv.pad[0] + 1 : k->conv.pad[0], per_group = y[1] / k->conv.groups;
  const Tensor *result = k->conv.pass == 0 ? &k->y : k->conv.pass == 1 ? &k->x : &k->w;
  char *out = k->conv.pass == 0 ? k->yp : k->conv.pass == 1 ? k->xp : k->wp;
  const int *s = result->size;
  long long count = (long long)s[0] * s[1] * s[2] * s[3];
  double *sums = calloc(count, sizeof *sums);
  for (int n = 0; n < y[0]; n++)
    for (int o = 0; o < y[1]; o++)
      for (int r = 0; r < y[2]; r++)
        for (int q = 0; q < y[3]; q++)
          for (int a = 0; a < w[2]; a++)
            for (int b = 0; b < w[3]; b++) {
              int h = r * k->conv.stride[0] - top + a * k->conv.dilation[0];
              int v = q * k->conv.stride[1] - k->conv.pad[1] + b * k->conv.dilation[1], first = o / per_group * w[1];
              if (h < 0 || v < 0 || h >= x[2] || v >= x[3]) continue;
              long long xo = at(&k->x, n, first, h, v), wo = at(&k->w, o, 0, a, b), yo = at(&k->y, n, o, r, q);
              long long xs = k->x.stride[1], ws = k->w.stride[1];
#define SUM(s, n, c, h, w) sums[(((long long)(n) * s[1] + (c)) * s[2] + (h)) * s[3] + (w)]
              if (k->conv.pass == 0) {
                double sum = 0;
                const float *xf = (float *)k->xp + xo, *wf = (float *)k->wp + wo;
                if (k->x.type == 0) for (int i = 0; i < w[1]; i++) sum += (double)xf[i * xs] * wf[i * ws];
                else for (int i = 0; i < w[1]; i++) sum += get(k->xp, k->x.type, xo + i * xs) * get(k->wp, k->w.type, wo + i * ws);
                SUM(y, n, o, r, q) += sum;
                continue;
              }
              double dy = get(k->yp, k->y.type, yo);
              for (int i = 0; i < w[1]; i++)
                if (k->conv.pass == 1) SUM(x, n, first + i, h, v) += dy * get(k->wp, k->w.type, wo + i * ws);
                else SUM(w, o, i, a, b) += dy * get(k->xp, k->x.type, xo + i * xs);
            }
  for (long long i = 0; i < count; i++) put(out, result->type, element(result, i), sums[i]);
  free(sums);
}
static void compute(void) {
  for (int i = 0; i < pending.count; i++) {
    Work *k = &pending.list[i];
    if (k->task == RUN_CONV) compute_conv(k);
    else memset(k->yp, 0, k->bytes);
  }
  pending.count = 0;
}

/* --- CUDA runtime ----------------------------------------------------------------------------------------------- */

static int last_error;
static int cuda(int status) { return status ? (last_error = status) : OK; }
/* Calls that are not allowed while a stream is captured. */
static int uncaptured(const char *call) {
  if (!capturing) return OK;
  violate("%s during a capture", call);
  return cuda(CAPTURE);
}
#define UNCAPTURED(call) if (uncaptured(call)) return CAPTURE

EXPORT const char *cudaGetErrorName(int status) {
  switch (status) {
    case NOMEM: return "cudaErrorMemoryAllocation";
    case NODEVICE: return "cudaErrorNoDevice";
    case OLDDRIVER: return "cudaErrorInsufficientDriver";
    case LAUNCHFAILURE: return "cudaErrorLaunchFailure";
    case CAPTURE: return "cudaErrorStreamCaptureUnsupported";
    default: return "cudaErrorInvalidValue";
  }
}
EXPORT const char *cudaGetErrorString(int status) {
  switch (status) {
    case NOMEM: return "out of memory";
    case NODEVICE: return "no CUDA-capable device is detected";
    case OLDDRIVER: return "CUDA driver version is insufficient for CUDA runtime version";
    case LAUNCHFAILURE: return "unspecified launch failure";
    case CAPTURE: return "operation not permitted when stream is capturing";
    default: return "invalid argument";
  }
}
EXPORT int cudaGetLastError(void) {
  int status = last_error;
  last_error = OK;
  return status;
}
EXPORT int cudaRuntimeGetVersion(int *version) { return *version = 12090, OK; }
EXPORT int cudaDriverGetVersion(int *version) { return *version = 13000, OK; }
/* Physical devices in the order of their ordinals: CUDA_VISIBLE_DEVICES has numbers or UUIDs, up to the first unknown. */
static int visible(int *physical) {
  const char *said = getenv("CUDA_VISIBLE_DEVICES");
  int count = 0;
  if (!said) return physical[0] = 0, physical[1] = 1, 2;
  for (; *said && count < 2; said += strcspn(said, ","), said += *said == ',') {
    int number = said[0] - '0';
    if (!strncmp(said, "GPU-", 4)) {
      size_t length = strcspn(said, ",");
      number = length == 40 && !strncmp(said, "GPU-fa4e0000-0000-0000-0000-00000000000", 39) ? said[39] - '0' : -1;
    }
    if (number < 0 || number > 1) break;
    physical[count++] = number;
  }
  return count;
}
EXPORT int cudaGetDeviceCount(int *count) {
  int physical[2];
  if (is_fault("no-device")) return cuda(NODEVICE);
  if (is_fault("old-driver")) return cuda(OLDDRIVER);
  return *count = visible(physical), *count ? OK : cuda(NODEVICE);
}
EXPORT int cudaDeviceGetPCIBusId(char *id, int length, int device) {
  int physical[2];
  if (device < 0 || device >= visible(physical)) return cuda(BADVALUE);
  snprintf(id, length, "0000:0%d:00.0", physical[device] + 1);
  return OK;
}
EXPORT int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  *value = attribute == 16 ? 7 : attribute == 38 ? (int)L2_BYTES : attribute == 75 ? 9 : attribute == 76 ? 0 : -1;
  return OK;
}
/* The library of the driver reads the variable when it starts, and has its own status codes. */
static int driver_physical[2], driver_count = -1;
EXPORT int cuInit(unsigned flags) {
  if (flags || is_fault("old-driver")) return flags ? BADVALUE : 803;
  return driver_count = is_fault("no-device") ? 0 : visible(driver_physical), driver_count ? OK : NODEVICE;
}
EXPORT int cuGetErrorName(int status, const char **text) {
  return *text = status == 803 ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" : status == NODEVICE ? "CUDA_ERROR_NO_DEVICE" : "?", OK;
}
EXPORT int cuGetErrorString(int status, const char **text) {
  if (status == 803) return *text = "system has unsupported display driver / cuda driver combination", OK;
  return *text = status == NODEVICE ? "no CUDA-capable device is detected" : "unknown error", OK;
}
EXPORT int cuDriverGetVersion(int *version) { return *version = 13000, OK; }
EXPORT int cuDeviceGetCount(int *count) { return *count = driver_count, driver_count < 0 ? 3 : OK; }
EXPORT int cuDeviceGet(int *device, int ordinal) {
  if (ordinal < 0 || ordinal >= driver_count) return 101;
  return *device = 7000 + driver_physical[ordinal], OK;
}
EXPORT int cuDeviceGetPCIBusId(char *id, int length, int device) {
  if (device != 7000 && device != 7001) return 101;
  return snprintf(id, length, "0000:0%d:00.0", device - 7000 + 1), OK;
}
EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
  if (device != 7000 && device != 7001) return 101;
  return cudaDeviceGetAttribute(value, attribute, 0);
}
EXPORT int cudaSetDevice(int device) {
  int physical[2];
  return device >= 0 && device < visible(physical) ? OK : cuda(BADVALUE);
}
EXPORT int cudaMemGetInfo(size_t *free_bytes, size_t *total) {
  return *free_bytes = CAPACITY - used_bytes, *total = CAPACITY, OK;
}
EXPORT int cudaMalloc(void **pointer, size_t bytes) {
  UNCAPTURED("cudaMalloc");
  if (is_fault("out-of-memory") || used_bytes + bytes > CAPACITY) return cuda(NOMEM);
  if (is_fault("workspace") && bytes % 1000 == 7) return cuda(NOMEM);
  used_bytes += bytes;
  *pointer = adopt(MEMORY, bytes);
  return OK;
}
EXPORT int cudaFree(void *pointer) {
  UNCAPTURED("cudaFree");
  compute();
  Object *o = find(MEMORY, pointer);
  if (o) used_bytes -= o->bytes;
  return disown(MEMORY, pointer, "cudaFree") ? OK : cuda(BADVALUE);
}
EXPORT int cudaMemcpyAsync(char *to, const char *from, size_t bytes, int kind, void *stream) {
  UNCAPTURED("cudaMemcpyAsync");
  is_live(STREAM, stream, "cudaMemcpyAsync");
  if (kind != 1 && !holds(from, bytes, "cudaMemcpyAsync from")) return cuda(BADVALUE);
  if (kind != 2 && !holds(to, bytes, "cudaMemcpyAsync to")) return cuda(BADVALUE);
  compute();
  memmove(to, from, bytes);
  return OK;
}
EXPORT int cudaMemsetAsync(char *pointer, int value, size_t bytes, void *stream) {
  is_live(STREAM, stream, "cudaMemsetAsync");
  if (value != 0 || !holds(pointer, bytes, "cudaMemsetAsync")) return cuda(BADVALUE);
  Work work;
  memset(&work, 0, sizeof work);
  work.task = RUN_ZERO, work.yp = pointer, work.bytes = bytes;
  return submit(&work);
}
EXPORT int cudaStreamCreateWithFlags(void **stream, unsigned flags) {
  if (flags != 1) violate("cudaStreamCreateWithFlags: flags %u", flags);
  return stream_made_us = now_us, *stream = adopt(STREAM, 1), OK;
}
EXPORT int cudaStreamDestroy(void *stream) { return disown(STREAM, stream, "cudaStreamDestroy") ? OK : cuda(BADVALUE); }
EXPORT int cudaStreamSynchronize(void *stream) {
  UNCAPTURED("cudaStreamSynchronize");
  is_live(STREAM, stream, "cudaStreamSynchronize");
  return is_fault("device") && pending.count ? cuda(LAUNCHFAILURE) : OK;
}
EXPORT int cudaEventCreateWithFlags(void **event, unsigned flags) {
  if (flags != 0) violate("cudaEventCreateWithFlags: flags %u", flags);
  return *event = adopt(EVENT, sizeof(Event)), OK;
}
EXPORT int cudaEventDestroy(void *event) { return disown(EVENT, event, "cudaEventDestroy") ? OK : cuda(BADVALUE); }
static int record(void *event, void *stream, const char *call) {
  if (!is_live(EVENT, event, call) || !is_live(STREAM, stream, call)) return cuda(BADVALUE);
  Work work;
  memset(&work, 0, sizeof work);
  work.task = RUN_EVENT, work.event = event;
  if (capturing) append(capturing, &work);
  else enqueue(&work);
  return OK;
}
EXPORT int cudaEventRecord(void *event, void *stream) {
  if (capturing) violate("cudaEventRecord during a capture leaves no time in the event");
  return record(event, stream, "cudaEventRecord");
}
EXPORT int cudaEventRecordWithFlags(void *event, void *stream, unsigned flags) {
  if (flags != 1 || !capturing) violate("cudaEventRecordWithFlags: flags %u, capturing %d", flags, capturing != NULL);
  return record(event, stream, "cudaEventRecordWithFlags");
}
EXPORT int cudaEventSynchronize(void *event) {
  UNCAPTURED("cudaEventSynchronize");
  return is_live(EVENT, event, "cudaEventSynchronize") ? OK : cuda(BADVALUE);
}
EXPORT int cudaEventElapsedTime(float *ms, Event *start, Event *stop) {
  if (!is_live(EVENT, start, "cudaEventElapsedTime") || !is_live(EVENT, stop, "cudaEventElapsedTime")) return cuda(BADVALUE);
  if (!start->is_recorded || !stop->is_recorded) {
    violate("cudaEventElapsedTime of an event that was not recorded");
    return cuda(BADVALUE);
  }
  return *ms = (stop->recorded_us - start->recorded_us) / 1e3, OK;
}
EXPORT int cudaStreamBeginCapture(void *stream, int mode) {
  UNCAPTURED("cudaStreamBeginCapture");
  if (!is_live(STREAM, stream, "cudaStreamBeginCapture") || mode != 1) return cuda(BADVALUE);
  capturing = adopt(GRAPH, sizeof(Graph));
  return OK;
}
EXPORT int cudaStreamEndCapture(void *stream, void **graph) {
  is_live(STREAM, stream, "cudaStreamEndCapture");
  if (!capturing) violate("cudaStreamEndCapture without a capture");
  *graph = capturing;
  capturing = NULL;
  return OK;
}
EXPORT int cudaGraphInstantiateWithFlags(void **exec, Graph *graph, uint64_t flags) {
  if (!is_live(GRAPH, graph, "cudaGraphInstantiateWithFlags") || flags != 0) return cuda(BADVALUE);
  if (graph->count == 0) violate("cudaGraphInstantiateWithFlags of an empty graph");
  Graph *copy = adopt(EXEC, sizeof(Graph));
  for (int i = 0; i < graph->count; i++) append(copy, &graph->list[i]);
  return *exec = copy, OK;
}
EXPORT int cudaGraphDestroy(Graph *graph) {
  if (find(GRAPH, graph)) free(graph->list);
  return disown(GRAPH, graph, "cudaGraphDestroy") ? OK : cuda(BADVALUE);
}
EXPORT int cudaGraphLaunch(Graph *exec, void *stream) {
  if (!is_live(EXEC, exec, "cudaGraphLaunch") || !is_live(STREAM, stream, "cudaGraphLaunch")) return cuda(BADVALUE);
  for (int i = 0; i < exec->count; i++) enqueue(&exec->list[i]);
  return OK;
}
EXPORT int cudaGraphExecDestroy(Graph *exec) {
  if (find(EXEC, exec)) free(exec->list);
  return disown(EXEC, exec, "cudaGraphExecDestroy") ? OK : cuda(BADVALUE);
}

#include "fake-cudnn.c"

/* --- NVML ------------------------------------------------------------------------------------------------------- */

static int nvml_sessions;
static int devices[2];
static int reported(unsigned *out, unsigned value) {
  if (nvml_sessions <= 0) violate("NVML is called before nvmlInit_v2 or after nvmlShutdown");
  return *out = value, OK;
}
EXPORT const char *nvmlErrorString(int status) {
  return status == 3 ? "Not Supported" : status == 6 ? "Not Found" : "Unknown Error";
}
EXPORT int nvmlInit_v2(void) { return nvml_sessions++, OK; }
EXPORT int nvmlShutdown(void) { return nvml_sessions--, OK; }
EXPORT int fake_nvml_sessions(void) { return nvml_sessions; }
EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned size) { return snprintf(text, size, "580.159.04"), OK; }
EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device) {
  if (strcmp(id, "0000:01:00.0") && strcmp(id, "0000:02:00.0")) return 6;
  return *device = &devices[id[6] - '1'], OK;
}
EXPORT int nvmlDeviceGetUUID(int *device, char *text, unsigned size) {
  return snprintf(text, size, "GPU-fa4e0000-0000-0000-0000-00000000000%d", (int)(device - devices)), OK;
}
EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
  if (strncmp(uuid, "GPU-", 4)) return 2;
  if (strlen(uuid) != 40 || strncmp(uuid, "GPU-fa4e0000-0000-0000-0000-00000000000", 39)) return 6;
  return *device = &devices[uuid[39] == '1'], OK;
}
EXPORT int nvmlDeviceGetName(void *device, char *text, unsigned size) {
  return (void)device, snprintf(text, size, is_fault("t4") ? "Fake T4" : "Fake GPU"), OK;
}
EXPORT int nvmlDeviceGetMemoryInfo(void *device, uint64_t *info) {
  return (void)device, info[0] = CAPACITY, info[1] = CAPACITY - used_bytes, info[2] = used_bytes, OK;
}
EXPORT int nvmlDeviceGetEccMode(void *device, unsigned *now, unsigned *then) {
  return (void)device, *now = *then = 1, OK;
}
EXPORT int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *then) {
  if (is_fault("mig")) return (void)device, *now = *then = 1, OK;
  return (void)device, (void)now, (void)then, 3;
}
EXPORT int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *mw) { return (void)device, reported(mw, 700000); }
EXPORT int nvmlDeviceGetPowerUsage(void *device, unsigned *mw) {
  return (void)device, reported(mw, 1000 * (now_us > stream_made_us ? POWER_W : IDLE_W));
}
/* nvmlFieldValue_t: fieldId at 0, nvmlReturn at 28, value at 32. What is asked for is the power at this moment. */
EXPORT int nvmlDeviceGetFieldValues(void *device, int count, char *values) {
  (void)device;
  unsigned mw = 1000 * POWER_W / (is_fault("power") ? 2 : 1), wrong = 2;
  if (count != 1 || *(unsigned *)values != 186) return memcpy(values + 28, &wrong, 4), OK;
  return memcpy(values + 32, &mw, 4), OK;
}
static unsigned max_mhz(void) { return is_fault("t4") ? 1590 : 1980; }
EXPORT int nvmlDeviceGetClockInfo(void *device, int which, unsigned *mhz) {
  static unsigned reads;
  if (is_fault("t4")) return (void)device, which == 1 ? reported(mhz, 875 + 15 * (reads++ % 16)) : 2;
  return (void)device, which == 1 ? reported(mhz, max_mhz()) : 2;
}
EXPORT int nvmlDeviceGetMaxClockInfo(void *device, int which, unsigned *mhz) {
  return (void)device, which == 1 ? reported(mhz, max_mhz()) : 2;
}
EXPORT int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *c) {
  return (void)device, sensor == 0 ? reported(c, is_fault("hot") ? 92 : 41) : 2;
}
EXPORT int nvmlDeviceGetTotalEnergyConsumption(void *device, uint64_t *mj) {
  (void)device;
  if (is_fault("no-energy")) return 3;
  *mj = (uint64_t)(floor(now_us / 1e5) * 100 * POWER_W) + 123456789;
  return OK;
}
EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, uint64_t *bits) {
  return (void)device, *bits = is_fault("hot") ? 0x20 | 0x40 : is_fault("t4") ? 0x4 : 0x1, OK;
}
EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, void *list) {
  (void)device, (void)list;
  return *count = 3, 7;
}
