// What every file of the addon shares: handles, per-environment state, argument access and error reporting.
// The addon knows no operator by name. A tensor is an integer handle in JavaScript; `Engine` owns what it names.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <node_api.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace oppo {

// Thrown for a handle whose tensor or generator is gone.
struct DisposedError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Values named by handles: 20 bits of slot, 11 bits of generation, so a stale handle is caught and every handle is
// a V8 small integer. Slots live in chunks that never move, because a JavaScript callback may add tensors while a
// native frame holds a reference. Handle 0 names nothing.
template <class T>
class Slab {
 public:
  int32_t put(T value) {
    int32_t slot;
    if (!free_.empty()) {
      slot = free_.back();
      free_.pop_back();
    } else {
      TORCH_CHECK(used_ < kMaxSlots, "too many live tensors: use scope() or dispose them");
      if ((used_ >> kChunkBits) == (int32_t)chunks_.size()) chunks_.emplace_back(new Slot[1 << kChunkBits]);
      slot = used_++;
    }
    Slot& s = at(slot);
    s.value = std::move(value);
    live_++;
    return s.generation << kSlotBits | slot;
  }
  // The value, or null when the handle is stale or never existed.
  T* find(int32_t handle) {
    int32_t slot = handle & (kMaxSlots - 1);
    if (handle <= 0 || slot >= used_) return nullptr;
    Slot& s = at(slot);
    return s.generation == handle >> kSlotBits && s.value.defined() ? &s.value : nullptr;
  }
  void drop(int32_t handle) {
    T* found = find(handle);
    if (!found) return;
    T dying = std::move(*found);  // destroyed last: its destructor may run arbitrary autograd clean-up
    *found = T();
    int32_t slot = handle & (kMaxSlots - 1);
    at(slot).generation = (at(slot).generation + 1) & kMaxGeneration;
    free_.push_back(slot);
    live_--;
  }
  size_t live() const { return live_; }

 private:
  struct Slot {
    T value;
    int32_t generation = 0;
  };
  static constexpr int kSlotBits = 20, kChunkBits = 12;
  static constexpr int32_t kMaxSlots = 1 << kSlotBits, kMaxGeneration = (1 << 11) - 1;
  Slot& at(int32_t slot) { return chunks_[slot >> kChunkBits][slot & ((1 << kChunkBits) - 1)]; }
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::vector<int32_t> free_;
  int32_t used_ = 1;
  size_t live_ = 0;
};

enum class Kind : uint8_t {
  Tensor, TensorList, OptionalTensorList, Scalar, ScalarList, Int, IntList, Float, FloatList, Bool, BoolList,
  String, Device, Generator, Unsupported
};

struct ArgumentSpec {
  std::string name, type;
  Kind kind = Kind::Unsupported;
  bool isOptional = false, hasDefault = false;
  int fixedLength = 0;  // N of int[N]: a lone number stands for N of them
  c10::IValue defaultValue;
};

// One operator overload. Declared by name, resolved in the dispatcher on its first call.
struct Operator {
  std::string name, overload;
  c10::optional<c10::OperatorHandle> handle;
  std::vector<ArgumentSpec> arguments;
  bool returnsAlias = false;  // in place: the result is an argument, JavaScript already has it
};

// JavaScript has one thread, and a device's backward nodes run on others: while that thread waits for a backward pass, it
// runs what those nodes ask of it.
class JavaScriptThread {
 public:
  // On the JavaScript thread: `work` runs on another one; returns when it is done. Throws what it throws.
  void waitFor(const std::function<void()>& work);
  // On any thread: `job` runs on the JavaScript thread. Throws what it throws.
  void run(const std::function<void()>& job);

 private:
  const std::thread::id id_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool isWaiting_ = false;
  const std::function<void()>* job_ = nullptr;
};

// Everything one Node environment (main thread or worker) owns. Kept alive by guards past the environment's end.
struct Engine : std::enable_shared_from_this<Engine> {
  napi_env env = nullptr;
  Slab<at::Tensor> tensors;
  Slab<at::Generator> generators;
  std::vector<std::unique_ptr<Operator>> operators;
  std::vector<std::unique_ptr<c10::InferenceMode>> inference;
  std::vector<at::Tensor> delivered;  // what a JavaScript backward hands to its autograd node
  double* scratch = nullptr;          // a Float64Array that shapes are written to
  napi_ref scratchRef = nullptr, errorFactory = nullptr;
  JavaScriptThread thread;
  bool closed = false;

  at::Tensor& tensor(int32_t handle) {
    at::Tensor* found = tensors.find(handle);
    if (!found) throw DisposedError("a tensor was used after it was disposed");
    return *found;
  }
  // References may die inside garbage collection or on an autograd thread: they are deleted later, on this one.
  void deleteLater(napi_ref ref) {
    std::lock_guard<std::mutex> lock(deadMutex_);
    dead_.push_back(ref);
  }
  void deleteDead() {
    std::lock_guard<std::mutex> lock(deadMutex_);
    for (napi_ref ref : dead_) napi_delete_reference(env, ref);
    dead_.clear();
  }

 private:
  std::mutex deadMutex_;
  std::vector<napi_ref> dead_;
};

// One call from JavaScript.
struct Call {
  static constexpr size_t kMaxArguments = 24;
  napi_env env;
  Engine* engine;
  size_t argc = kMaxArguments;
  napi_value argv[kMaxArguments];

  int32_t handle(size_t i) const;  // -1 when the argument is no integer
  at::Tensor& tensor(size_t i) const { return engine->tensor(handle(i)); }
  bool given(size_t i) const;  // present and neither undefined nor null
};

// ivalue.cc: between JavaScript values and libtorch's.
std::string asString(napi_env env, napi_value value);
int64_t asInt(napi_env env, napi_value value);
double asDouble(napi_env env, napi_value value);
bool asBool(napi_env env, napi_value value);
std::vector<int64_t> asInts(napi_env env, napi_value value);
std::vector<at::Tensor> asTensors(Engine& engine, napi_value value);
napi_value fromInt(napi_env env, int32_t value);
napi_value fromDouble(napi_env env, double value);
napi_value fromBool(napi_env env, bool value);
napi_value fromString(napi_env env, const std::string& value);
napi_value fromIValue(Engine& engine, c10::IValue&& value);
ArgumentSpec describeArgument(const c10::Argument& argument);
void pushArgument(Engine& engine, const ArgumentSpec& spec, napi_value value, torch::jit::Stack& stack);
std::string summarize(const c10::IValue& value);

// dispatch.cc: throws through the error factory that JavaScript registered: errors have their own classes.
std::string messageOf(const std::exception& error);
napi_value throwError(Engine& engine, const char* kind, const std::string& message, const std::string& op = "",
                      const std::string& schema = "", const std::string& arguments = "");

void keepFreedMemory();  // device.cc: called when the addon is loaded

// The functions each file offers to JavaScript.
struct Export {
  const char* name;
  napi_callback callback;
};
std::vector<Export> dispatchExports(), tensorExports(), autogradExports(), bufferExports(), deviceExports(),
    collectiveExports();

// Turns a Function into an N-API callback: fetches the arguments, converts every C++ exception.
template <napi_value (*function)(Call&)>
napi_value entry(napi_env env, napi_callback_info info) {
  Call call{env, nullptr};
  void* data = nullptr;
  napi_get_cb_info(env, info, &call.argc, call.argv, nullptr, &data);
  call.engine = static_cast<Engine*>(data);
  try {
    return function(call);
  } catch (const DisposedError& e) {
    return throwError(*call.engine, "disposed", e.what());
  } catch (const std::exception& e) {
    return throwError(*call.engine, "operator", messageOf(e));
  }
}

}  // namespace oppo
