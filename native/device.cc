// Process-wide things: random generators, thread counts, back-end switches, versions, waiting for a device.
#include "engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/version.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace oppo {

// glibc hands big freed blocks back to Linux, and every new tensor then pays for its zeroed pages again: a third of a
// forward pass. Kept, they are used again; the process stays at the peak of its live tensors.
void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}
// releaseMemory(): what is kept but free goes back to Linux. Servers do it after work far beyond the usual.
static napi_value releaseMemory(Call&) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return nullptr;
}
// newGenerator(seed, device) -> handle of an independent generator.
static napi_value newGenerator(Call& c) {
  c10::Device device(asString(c.env, c.argv[1]));
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed((uint64_t)asInt(c.env, c.argv[0]));
  return fromInt(c.env, c.engine->generators.put(std::move(generator)));
}
static napi_value dropGenerator(Call& c) {
  c.engine->generators.drop(c.handle(0));
  return nullptr;
}

// libtorch's own setting does not reach a pthread build of OpenBLAS.
static void setBlasThreads(int threads) {
  using Setter = void (*)(int);
  auto setter = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  void* library = setter ? nullptr : dlopen("libopenblas.so.0", RTLD_NOLOAD | RTLD_NOW);
  if (library) setter = reinterpret_cast<Setter>(dlsym(library, "openblas_set_num_threads"));
  if (setter) setter(threads);
}
static napi_value setNumThreads(Call& c) {
  int64_t threads = asInt(c.env, c.argv[0]);
  TORCH_CHECK(threads >= 1 && threads <= 4096, "setNumThreads: expected 1 to 4096, got ", threads);
  at::set_num_threads((int)threads);
  setBlasThreads((int)threads);
  return nullptr;
}
static napi_value numThreads(Call& c) { return fromInt(c.env, at::get_num_threads()); }
static napi_value version(Call& c) { return fromString(c.env, TORCH_VERSION); }
static napi_value cudaAvailable(Call& c) { return fromBool(c.env, at::hasCUDA()); }
// synchronize(device): waits for everything queued on the device's current stream.
static napi_value synchronize(Call& c) {
  c10::Device device(asString(c.env, c.argv[0]));
  if (device.is_cpu()) return nullptr;
  c10::impl::VirtualGuardImpl guard(device.type());
  if (!device.has_index()) device = guard.getDevice();
  guard.getStream(device).synchronize();
  return nullptr;
}
// deviceMemory(device) -> [free, total] bytes as CUDA's runtime tells them, or null. Through the library that libtorch has loaded:
// the addon is built without CUDA's headers.
static napi_value deviceMemory(Call& c) {
  c10::Device device(asString(c.env, c.argv[0]));
  if (!device.is_cuda() || !at::hasCUDA()) return nullptr;
  using Tell = int (*)(size_t*, size_t*);
  Tell tell = reinterpret_cast<Tell>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  for (const char* name : {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"}) {
    void* library = tell ? nullptr : dlopen(name, RTLD_NOLOAD | RTLD_NOW);
    if (library) tell = reinterpret_cast<Tell>(dlsym(library, "cudaMemGetInfo"));
  }
  c10::impl::VirtualGuardImpl guard(device.type());
  c10::Device before = guard.getDevice();
  if (device.has_index()) guard.setDevice(device);
  size_t free = 0, total = 0;
  bool known = tell && tell(&free, &total) == 0;
  guard.setDevice(before);
  if (!known) return nullptr;
  napi_value out;
  napi_create_array_with_length(c.env, 2, &out);
  for (uint32_t i = 0; i < 2; i++) {
    napi_value bytes;
    napi_create_double(c.env, (double)(i == 0 ? free : total), &bytes);
    napi_set_element(c.env, out, i, bytes);
  }
  return out;
}
// setFlag(name, enabled)
static napi_value setFlag(Call& c) {
  std::string name = asString(c.env, c.argv[0]);
  bool on = asBool(c.env, c.argv[1]);
  at::Context& context = at::globalContext();
  if (name == "onednn") context.setUserEnabledMkldnn(on);
  else if (name == "tf32") context.setAllowTF32CuBLAS(on), context.setAllowTF32CuDNN(on);
  else if (name == "deterministic") context.setDeterministicAlgorithms(on, false);
  else TORCH_CHECK(false, "setFlag: expected onednn, tf32 or deterministic, got ", name);
  return nullptr;
}

std::vector<Export> deviceExports() {
  return {{"newGenerator", entry<newGenerator>},   {"dropGenerator", entry<dropGenerator>},
          {"setNumThreads", entry<setNumThreads>}, {"numThreads", entry<numThreads>},
          {"version", entry<version>},             {"cudaAvailable", entry<cudaAvailable>},
          {"synchronize", entry<synchronize>},     {"setFlag", entry<setFlag>},
          {"releaseMemory", entry<releaseMemory>}, {"deviceMemory", entry<deviceMemory>}};
}

}  // namespace oppo
