// Counts what libtorch's CPU allocator holds: live bytes and their peak, exactly. An addon of its own, loaded beside the
// project's (test/support/counted-memory.ts).
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <node_api.h>
#include <torch/version.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>

namespace {

std::mutex lock;
std::unordered_map<void*, int64_t> sizes;
int64_t live = 0, peak = 0;

void release(void* block) {
  if (!block) return;
  {
    std::lock_guard<std::mutex> guard(lock);
    auto found = sizes.find(block);
    live -= found->second;
    sizes.erase(found);
  }
  std::free(block);
}

struct CountingAllocator final : c10::Allocator {
  // const in libtorch 1.13, later not: two overloads would not both override.
#if TORCH_VERSION_MAJOR < 2
  c10::DataPtr allocate(size_t size) const override { return take(size); }
#else
  c10::DataPtr allocate(size_t size) override { return take(size); }
  void copy_data(void* to, const void* from, std::size_t size) const override { default_copy_data(to, from, size); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &release; }

 private:
  static c10::DataPtr take(size_t size) {
    void* block = nullptr;
    if (size > 0 && posix_memalign(&block, 64, size)) throw std::bad_alloc();
    if (block) {
      std::lock_guard<std::mutex> guard(lock);
      sizes[block] = (int64_t)size;
      live += (int64_t)size;
      if (live > peak) peak = live;
    }
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
};

CountingAllocator counter;

napi_value number(napi_env env, int64_t value) {
  napi_value out;
  napi_create_double(env, (double)value, &out);
  return out;
}

// live() -> bytes held now.
napi_value getLive(napi_env env, napi_callback_info) {
  std::lock_guard<std::mutex> guard(lock);
  return number(env, live);
}

// takePeak() -> most bytes held at once since the last call.
napi_value takePeak(napi_env env, napi_callback_info) {
  std::lock_guard<std::mutex> guard(lock);
  const int64_t reached = peak;
  peak = live;
  return number(env, reached);
}

}  // namespace

NAPI_MODULE_INIT() {
  constexpr uint8_t highest = 255;  // priority: above every allocator that libtorch itself sets
  c10::SetCPUAllocator(&counter, highest);
  napi_value function;
  napi_create_function(env, "live", NAPI_AUTO_LENGTH, getLive, nullptr, &function);
  napi_set_named_property(env, exports, "live", function);
  napi_create_function(env, "takePeak", NAPI_AUTO_LENGTH, takePeak, nullptr, &function);
  napi_set_named_property(env, exports, "takePeak", function);
  return exports;
}
