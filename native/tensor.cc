// Lifetime and metadata of tensors: what the dispatcher cannot do, because handles are ours.
#include "engine.h"

#include <algorithm>

namespace oppo {

static napi_value drop(Call& c) {
  c.engine->tensors.drop(c.handle(0));
  return nullptr;
}
// dropMany(Int32Array of handles, count)
static napi_value dropMany(Call& c) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  bool ok = napi_get_typedarray_info(c.env, c.argv[0], &type, &length, &data, nullptr, nullptr) == napi_ok;
  TORCH_CHECK(ok && type == napi_int32_array, "dropMany: expected an Int32Array");
  size_t count = std::min<size_t>(length, std::max(0, c.handle(1)));
  for (size_t i = 0; i < count; i++) c.engine->tensors.drop(static_cast<int32_t*>(data)[i]);
  c.engine->deleteDead();
  return nullptr;
}
static napi_value numLive(Call& c) { return fromDouble(c.env, (double)c.engine->tensors.live()); }

// Ties a handle to a JavaScript object: collected object, freed handle. Compiled with the experimental NAPI_VERSION,
// so the finalizer runs inside garbage collection and even a synchronous loop without scopes stays flat.
struct Guard {
  std::shared_ptr<Engine> engine;
  int32_t handle;
  int64_t accounted;  // bytes reported to V8, so that it collects in time
  bool isGenerator;
};
static void accountBytes(node_api_basic_env env, int64_t bytes) {
  int64_t total;
  if (bytes != 0) napi_adjust_external_memory(env, bytes, &total);
}
static void finalizeGuard(node_api_basic_env env, void* data, void*) {
  std::unique_ptr<Guard> guard(static_cast<Guard*>(data));
  if (guard->isGenerator) guard->engine->generators.drop(guard->handle);
  else guard->engine->tensors.drop(guard->handle);
  accountBytes(env, -guard->accounted);
}
// attachGuard(object, handle, account, isGenerator)
static napi_value attachGuard(Call& c) {
  bool isGenerator = asBool(c.env, c.argv[3]);
  int64_t bytes = 0;
  if (asBool(c.env, c.argv[2])) {
    const at::Tensor& t = c.tensor(1);
    if (t.has_storage()) bytes = std::min<int64_t>(t.nbytes(), t.storage().nbytes());
  }
  auto guard = std::make_unique<Guard>(Guard{c.engine->shared_from_this(), c.handle(1), bytes, isGenerator});
  TORCH_CHECK(napi_wrap(c.env, c.argv[0], guard.get(), finalizeGuard, nullptr, nullptr) == napi_ok, "already guarded");
  guard.release();
  accountBytes(c.env, bytes);
  return nullptr;
}
// releaseGuard(object): forgets the guard; the handle stays alive.
static napi_value releaseGuard(Call& c) {
  void* data = nullptr;
  if (napi_remove_wrap(c.env, c.argv[0], &data) != napi_ok || !data) return nullptr;
  std::unique_ptr<Guard> guard(static_cast<Guard*>(data));
  accountBytes(c.env, -guard->accounted);
  return nullptr;
}

// Shapes cross through one shared Float64Array: no allocation on either side.
static napi_value setScratch(Call& c) {
  size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(c.env, c.argv[0], nullptr, &length, &data, nullptr, nullptr);
  TORCH_CHECK(length >= 64, "setScratch: expected a Float64Array of at least 64");
  c.engine->scratch = static_cast<double*>(data);
  napi_create_reference(c.env, c.argv[0], 1, &c.engine->scratchRef);
  return nullptr;
}
static napi_value sizes(Call& c) {  // (handle) -> rank
  at::IntArrayRef sizes = c.tensor(0).sizes();
  TORCH_CHECK(sizes.size() <= 64, "expected at most 64 axes, got ", sizes.size());
  for (size_t i = 0; i < sizes.size(); i++) c.engine->scratch[i] = (double)sizes[i];
  return fromInt(c.env, (int32_t)sizes.size());
}
static napi_value dtype(Call& c) { return fromInt(c.env, (int32_t)c.tensor(0).scalar_type()); }
static napi_value device(Call& c) { return fromString(c.env, c.tensor(0).device().str()); }
std::vector<Export> tensorExports() {
  return {{"drop", entry<drop>},         {"dropMany", entry<dropMany>},         {"numLive", entry<numLive>},
          {"sizes", entry<sizes>},       {"attachGuard", entry<attachGuard>},   {"dtype", entry<dtype>},
          {"device", entry<device>},     {"releaseGuard", entry<releaseGuard>}, {"setScratch", entry<setScratch>}};
}

}  // namespace oppo
