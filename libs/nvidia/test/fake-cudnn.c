/*
 * cuDNN's graph ("backend") API of fake-gpu.c, which includes this file. It checks the order of calls: attributes before
 * finalising, finalised descriptors only as values, results read into fresh descriptors, and what is destroyed.
 *
 * Engines for every convolution, by rank: 4, which never finalises; 5, which converts its inputs down; 7, which sums up in low
 * precision; 1 (knob 2 = 4, tensor cores, a workspace of 5007 bytes); 0, half as fast; 6 (knobs 2 = 8 and 5 = 2, tensor
 * cores, 9007 bytes), twice as fast. Mode FALLBACK has engine 0 alone.
 */

EXPORT size_t cudnnGetVersion(void) { return is_fault("cudnn-8.8") ? 8800 : 91900; }
EXPORT size_t cudnnGetCudartVersion(void) { return 12090; }
EXPORT const char *cudnnGetErrorString(int status) {
  switch (status) {
    case OK: return "CUDNN_STATUS_SUCCESS";
    case DNN_NODEVICE: return "CUDNN_STATUS_NOT_INITIALIZED";
    case DNN_BADPARAM: return "CUDNN_STATUS_BAD_PARAM";
    case DNN_NOTFINAL: return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
    case DNN_UNSUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    case DNN_SUBLIBRARY: return "CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE";
    default: return "CUDNN_STATUS_EXECUTION_FAILED";
  }
}
static char detail[200];
EXPORT void cudnnGetLastErrorString(char *text, size_t size) {
  snprintf(text, size, "%s", detail);
  detail[0] = 0;
}
static int dnn(int status, const char *what) {
  snprintf(detail, sizeof detail, "%s", what);
  return status;
}
EXPORT int cudnnCreate(void **handle) {
  if (is_fault("no-handle")) return dnn(DNN_NODEVICE, "cudaGetDeviceCount(&count) != cudaSuccess");
  return *handle = adopt(HANDLE, sizeof(void *)), OK;
}
EXPORT int cudnnDestroy(void *handle) { return disown(HANDLE, handle, "cudnnDestroy") ? OK : DNN_BADPARAM; }
EXPORT int cudnnSetStream(void **handle, void *stream) {
  if (!is_live(HANDLE, handle, "cudnnSetStream") || !is_live(STREAM, stream, "cudnnSetStream")) return DNN_BADPARAM;
  return *handle = stream, OK;
}

/* --- attributes ------------------------------------------------------------------------------------------------- */

enum { T_HANDLE, T_DTYPE, T_INT64 = 3, T_FLOAT, T_POINTER = 6, T_MODE, T_HEUR, T_KNOB, T_NOTE = 11, T_DESC = 15, T_CHAR = 24 };
enum { D_CONV = 1, D_ENGINE, D_CONFIG, D_HEUR, D_PLAN, D_KNOB = 7, D_FWD = 10, D_BWDW, D_BWDX, D_GRAPH = 15, D_PACK, D_TENSOR, D_DEVICE = 38 };

typedef struct { int kind, name, type, most, optional; } Rule;
#define OPERATION(kind, first) {kind, first, T_FLOAT, 1, 0}, {kind, first + 1, T_FLOAT, 1, 0}, {kind, first + 2, T_DESC, 1, 0}, \
  {kind, first + 3, T_DESC, 1, 0}, {kind, first + 4, T_DESC, 1, 0}, {kind, first + 5, T_DESC, 1, 0}
static const Rule rules[] = {
  {D_TENSOR, 900, T_INT64, 1, 0}, {D_TENSOR, 901, T_DTYPE, 1, 0}, {D_TENSOR, 902, T_INT64, 4, 0}, {D_TENSOR, 903, T_INT64, 4, 0},
  {D_TENSOR, 906, T_INT64, 1, 0}, {D_CONV, 100, T_DTYPE, 1, 0}, {D_CONV, 101, T_MODE, 1, 0}, {D_CONV, 102, T_INT64, 2, 0},
  {D_CONV, 103, T_INT64, 2, 0}, {D_CONV, 104, T_INT64, 2, 0}, {D_CONV, 105, T_INT64, 2, 0}, {D_CONV, 106, T_INT64, 1, 0},
  OPERATION(D_FWD, 700), OPERATION(D_BWDX, 706), OPERATION(D_BWDW, 712), {D_GRAPH, 800, T_HANDLE, 1, 1},
  {D_GRAPH, 801, T_DESC, 1, 0}, {D_HEUR, 200, T_HEUR, 1, 0}, {D_HEUR, 201, T_DESC, 1, 0}, {D_HEUR, 204, T_DESC, 1, 1},
  {D_PLAN, 400, T_HANDLE, 1, 1}, {D_PLAN, 401, T_DESC, 1, 0}, {D_PLAN, 407, T_DESC, 1, 1}, {D_PACK, 1000, T_INT64, 3, 0},
  {D_PACK, 1001, T_POINTER, 3, 0}, {D_PACK, 1003, T_POINTER, 1, 0}, {D_DEVICE, 2701, T_HANDLE, 1, 1}, {D_DEVICE, 2702, T_CHAR, 4000, 1},
};
enum { RULES = sizeof rules / sizeof *rules };

typedef struct { int id, knobs, knob[2][2], note, refused; size_t workspace; } Engine;
static const Engine engines[] = {
  {4, 0, {{0}}, -1, 1, 0}, {5, 0, {{0}}, 1, 0, 0}, {7, 0, {{0}}, 2, 0, 0},
  {1, 1, {{2, 4}}, 0, 0, 5007}, {0, 0, {{0}}, -1, 0, 0}, {6, 2, {{2, 8}, {5, 2}}, 0, 0, 9007},
};

typedef struct { int count; long long value[4]; double real; char text[4000]; } Value;
typedef struct {
  int kind, is_final;
  Value values[RULES];
  Work work;             /* of an operation, and of what is made of it */
  const Engine *engine;  /* of configurations, engines and plans */
  int knob;              /* of a knob choice */
  void *handle;
} Backend;

static int width_of(int type) {
  return type == T_CHAR ? 1 : type == T_DTYPE || type == T_FLOAT || type == T_MODE || type == T_HEUR || type == T_KNOB || type == T_NOTE ? 4 : 8;
}
static Value *value_of(Backend *d, int name) {
  for (int i = 0; i < RULES; i++)
    if (rules[i].kind == d->kind && rules[i].name == name) return &d->values[i];
  return NULL;
}
static long long number(Backend *d, int name, int at) { return value_of(d, name)->value[at]; }
static Backend *reference(Backend *d, int name) { return (Backend *)number(d, name, 0); }

EXPORT int cudnnBackendCreateDescriptor(int kind, void **out) {
  Backend *d = adopt(BACKEND, sizeof(Backend));
  memset(d, 0, sizeof *d);
  d->kind = kind;
  return *out = d, OK;
}
EXPORT int cudnnBackendDestroyDescriptor(void *d) { return disown(BACKEND, d, "cudnnBackendDestroyDescriptor") ? OK : DNN_BADPARAM; }
static int is_final(Backend *d, const char *call) {
  if (!is_live(BACKEND, d, call)) return 0;
  if (!d->is_final) violate("%s: a descriptor of kind %d is not finalised", call, d->kind);
  return d->is_final;
}
EXPORT int cudnnBackendSetAttribute(Backend *d, int name, int type, int64_t count, const char *values) {
  if (!is_live(BACKEND, d, "set")) return DNN_BADPARAM;
  if (d->is_final) return violate("attribute %d is set after finalising", name), DNN_BADPARAM;
  for (int i = 0; i < RULES; i++) {
    if (rules[i].kind != d->kind || rules[i].name != name) continue;
    if (rules[i].type != type || count < 1 || count > rules[i].most || (rules[i].most < 5 && count != rules[i].most))
      return violate("attribute %d: type %d, %d values", name, type, (int)count), DNN_BADPARAM;
    Value *v = &d->values[i];
    v->count = count;
    if (type == T_CHAR) return memcpy(v->text, values, count), values[count - 1] ? (violate("text without its zero"), DNN_BADPARAM) : OK;
    for (int at = 0; at < count; at++) {
      if (type == T_FLOAT) v->real = ((float *)values)[at];
      else v->value[at] = width_of(type) == 4 ? ((int *)values)[at] : ((long long *)values)[at];
      if (type == T_DESC && !is_final((Backend *)v->value[at], "set")) return DNN_NOTFINAL;
      if (type == T_HANDLE && !is_live(HANDLE, (void *)v->value[at], "set")) return DNN_BADPARAM;
    }
    return OK;
  }
  return violate("a descriptor of kind %d has no attribute %d", d->kind, name), DNN_BADPARAM;
}

/* --- finalising ------------------------------------------------------------------------------------------------- */

static Tensor tensor_of(Backend *d) {
  Tensor t = {1, (int)number(d, 901, 0), {0}, {0}};
  for (int i = 0; i < 4; i++) t.size[i] = number(d, 902, i), t.stride[i] = number(d, 903, i);
  return t;
}
static int finalize_operation(Backend *d, int first, int pass) {
  Backend *conv = reference(d, first + 2), *w = reference(d, first + 3), *x = reference(d, first + 4), *y = reference(d, first + 5);
  if (conv->kind != D_CONV || w->kind != D_TENSOR || x->kind != D_TENSOR || y->kind != D_TENSOR)
    return violate("operation %d: descriptors of the wrong kind", d->kind), DNN_BADPARAM;
  if (value_of(d, first)->real != 1 || value_of(d, first + 1)->real != 0) violate("operation: alpha or beta");
  if (number(x, 906, 0) != 1 || number(w, 906, 0) != 2 || number(y, 906, 0) != 3) violate("operation: ids of tensors");
  Work *work = &d->work;
  work->task = RUN_CONV, work->x = tensor_of(x), work->w = tensor_of(w), work->y = tensor_of(y);
  Conv *c = &work->conv;
  c->pass = pass;
  int good = work->x.type == work->w.type && work->x.type == work->y.type && work->x.size[0] == work->y.size[0] &&
             work->w.size[0] == work->y.size[1] && work->x.size[1] % work->w.size[1] == 0;
  c->groups = good ? work->x.size[1] / work->w.size[1] : 1;
  for (int i = 0; i < 2; i++) {
    c->pad[i] = number(conv, 105, i), c->after[i] = number(conv, 104, i);
    c->stride[i] = number(conv, 103, i), c->dilation[i] = number(conv, 102, i);
    int room = work->x.size[2 + i] + c->pad[i] + c->after[i] - c->dilation[i] * (work->w.size[2 + i] - 1) - 1;
    good = good && room >= 0 && work->y.size[2 + i] == room / c->stride[i] + 1;
  }
  good = good && work->w.size[0] % c->groups == 0;
  return good ? OK : (violate("operation: the tensors do not fit each other"), DNN_BADPARAM);
}
EXPORT int cudnnBackendFinalize(Backend *d) {
  if (is_fault("abort") && d->kind == D_PLAN) abort();
  if (!is_live(BACKEND, d, "finalize")) return DNN_BADPARAM;
  if (d->is_final) return violate("a descriptor of kind %d is finalised twice", d->kind), DNN_BADPARAM;
  for (int i = 0; i < RULES; i++)
    if (rules[i].kind == d->kind && !rules[i].optional && !d->values[i].count)
      return violate("kind %d is finalised without attribute %d", d->kind, rules[i].name), DNN_BADPARAM;
  int status = OK;
  switch (d->kind) {
    case D_TENSOR: {
      double elements = 1;
      for (int i = 0; i < 4; i++) elements *= number(d, 902, i);
      if (elements >= 2147483648.0) return dnn(DNN_UNSUPPORTED, "tensors have less than 2^31 elements");
      break;
    }
    case D_CONV:
      if (number(d, 100, 0) != 0 || number(d, 101, 0) != 1 || number(d, 106, 0) != 2)
        violate("convolution: compute type %d, mode %d", (int)number(d, 100, 0), (int)number(d, 101, 0));
      break;
    case D_FWD: status = finalize_operation(d, 700, 0); break;
    case D_BWDX: status = finalize_operation(d, 706, 1); break;
    case D_BWDW: status = finalize_operation(d, 712, 2); break;
    case D_GRAPH: d->work = reference(d, 801)->work, d->handle = (void *)number(d, 800, 0); break;
    case D_HEUR: {
      Backend *graph = reference(d, 201);
      d->work = graph->work;
      if (!graph->handle && !value_of(d, 204)->count) return violate("heuristics without a device"), DNN_BADPARAM;
      break;
    }
    case D_PLAN: {
      Backend *config = reference(d, 401);
      d->work = config->work, d->engine = config->engine, d->handle = (void *)number(d, 400, 0);
      if (!d->handle && !value_of(d, 407)->count) return violate("a plan without a device"), DNN_BADPARAM;
      if (is_fault("broken")) return dnn(DNN_SUBLIBRARY, "libcudnn_engines_precompiled.so.9 cannot be opened");
      if (d->engine->refused) return dnn(DNN_UNSUPPORTED, "engine 4 has no kernel for it");
      if (d->engine->id == 5) violate("a plan that converts its inputs down");
      if (d->engine->id == 7) violate("a plan that sums up in low precision");
      break;
    }
    case D_PACK: break;
    case D_DEVICE:
      if (value_of(d, 2701)->count) snprintf(value_of(d, 2702)->text, 4000, "{\"deviceVer\":900,\"deviceName\":\"Fake GPU\"}");
      else if (!strstr(value_of(d, 2702)->text, "deviceVer")) return dnn(DNN_BADPARAM, "!json_object.HasMember(\"deviceVer\")");
      break;
    default: return violate("a descriptor of kind %d is finalised", d->kind), DNN_BADPARAM;
  }
  return d->is_final = status == OK, status;
}

/* --- results ---------------------------------------------------------------------------------------------------- */

/* The next fresh descriptor that results are written into. */
static Backend *fresh(void *values, int at, int kind) {
  Backend *d = ((Backend **)values)[at];
  if (!is_live(BACKEND, d, "get") || d->kind != kind || d->is_final) return violate("results need fresh descriptors of kind %d", kind), NULL;
  return d->is_final = 1, d;
}
static int proposed(Backend *heuristics, const Engine **list) {
  int count = 0, fallback = number(heuristics, 200, 0) == 2;
  if (number(heuristics, 200, 0) != 0 && !fallback) violate("heuristic mode %d", (int)number(heuristics, 200, 0));
  for (int i = 0; i < (int)(sizeof engines / sizeof *engines) && !is_fault("no-algorithm"); i++)
    if (!fallback || engines[i].id == 0) list[count++] = &engines[i];
  return count;
}
EXPORT int cudnnBackendGetAttribute(Backend *d, int name, int type, int64_t wanted, int64_t *count, void *values) {
  if (!is_final(d, "get")) return DNN_NOTFINAL;
  const Engine *list[8];
  int made = 0;
  switch (name) {
    case 202: {
      int total = proposed(d, list);
      for (; made < total && made < wanted; made++) {
        Backend *config = fresh(values, made, D_CONFIG);
        if (!config) return DNN_BADPARAM;
        config->work = d->work, config->engine = list[made];
      }
      return *count = total, type == T_DESC ? OK : DNN_BADPARAM;
    }
    case 300: {
      Backend *engine = fresh(values, 0, D_ENGINE);
      return engine ? (engine->engine = d->engine, *count = 1, OK) : DNN_BADPARAM;
    }
    case 302:
      for (; made < d->engine->knobs && made < wanted; made++) {
        Backend *choice = fresh(values, made, D_KNOB);
        if (!choice) return DNN_BADPARAM;
        choice->engine = d->engine, choice->knob = made;
      }
      return *count = d->engine->knobs, OK;
    case 600: return *(int *)values = d->engine->knob[d->knob][0], *count = 1, type == T_KNOB ? OK : DNN_BADPARAM;
    case 601: return *(int64_t *)values = d->engine->knob[d->knob][1], *count = 1, type == T_INT64 ? OK : DNN_BADPARAM;
    case 1301: return *(int64_t *)values = d->engine->id, *count = 1, type == T_INT64 ? OK : DNN_BADPARAM;
    case 1303:
      *count = d->engine->note >= 0;
      if (*count && wanted) *(int *)values = d->engine->note;
      return type == T_NOTE ? OK : DNN_BADPARAM;
    case 402: return *(int64_t *)values = d->engine->workspace, *count = 1, type == T_INT64 ? OK : DNN_BADPARAM;
    case 2702: {
      const char *text = value_of(d, 2702)->text;
      *count = strlen(text) + 1;
      if (wanted) snprintf(values, wanted, "%s", text);
      return type == T_CHAR ? OK : DNN_BADPARAM;
    }
    default: return violate("attribute %d cannot be read", name), DNN_BADPARAM;
  }
}

static const char *name_of(const Tensor *t) { return t->stride[1] == 1 && t->size[1] * t->size[2] * t->size[3] > 1 ? "NHWC" : "NCHW"; }
EXPORT int cudnnBackendExecute(void **handle, Backend *plan, Backend *pack) {
  if (is_fault("hang")) for (;;) pause();
  if (is_fault("crash")) abort();
  if (is_fault("launch")) return dnn(DNN_EXECUTION, "the kernel could not be launched");
  if (!is_live(HANDLE, handle, "execute") || !is_final(plan, "execute") || !is_final(pack, "execute")) return DNN_BADPARAM;
  if (!*handle) violate("execute on a handle without a stream");
  if (plan->kind != D_PLAN || pack->kind != D_PACK || plan->handle != handle) return violate("execute of a plan that does not belong to the handle"), DNN_BADPARAM;
  Work work = plan->work;
  char **pointers[] = {&work.xp, &work.wp, &work.yp};
  for (int i = 0; i < 3; i++) {
    if (number(pack, 1000, i) < 1 || number(pack, 1000, i) > 3) return violate("variant pack: id %d", (int)number(pack, 1000, i)), DNN_BADPARAM;
    *pointers[number(pack, 1000, i) - 1] = (char *)number(pack, 1001, i);
  }
  size_t workspace = plan->engine->workspace;
  if (!holds(work.xp, span(&work.x), "x") || !holds(work.wp, span(&work.w), "w") || !holds(work.yp, span(&work.y), "y")) return DNN_BADPARAM;
  if (workspace && !holds((char *)number(pack, 1003, 0), workspace, "workspace")) return DNN_BADPARAM;
  const int *s = work.x.size, *k = work.w.size, *o = work.y.size;
  const Conv *c = &work.conv;
  snprintf(last_conv, sizeof last_conv,
           "x %d %dx%dx%dx%d %s, w %dx%dx%dx%d %s, y %dx%dx%dx%d %s, pad %dx%d %dx%d, stride %dx%d, dilation %dx%d, groups %d, "
           "%s, engine %d, workspace %zu",
           work.x.type, s[0], s[1], s[2], s[3], name_of(&work.x), k[0], k[1], k[2], k[3], name_of(&work.w), o[0], o[1], o[2], o[3],
           name_of(&work.y), c->pad[0], c->pad[1], c->after[0], c->after[1], c->stride[0], c->stride[1], c->dilation[0],
           c->dilation[1], c->groups, c->pass == 0 ? "forward" : c->pass == 1 ? "backward-data" : "backward-weights",
           plan->engine->id, workspace);
  work.algorithm = plan->engine->id;
  return submit(&work);
}
EXPORT int fake_last_conv(char *text, size_t size) { return snprintf(text, size, "%s", last_conv), 0; }
