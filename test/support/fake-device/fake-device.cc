// A device without hardware: tensors of "privateuseone:0" lie in ordinary memory and every kernel is the CPU's, run on an
// alias of the operands. It is there to be strict where a GPU is: it refuses operands that lie on the host, and the host's
// random generators, and it runs backward nodes on the engine's device thread. It counts what it runs, and the copies that
// would make a GPU wait. For libtorch 1.13 and 2.x; the tests build it (fake-device.ts).
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <node_api.h>
#include <torch/library.h>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR >= 2
#include <ATen/detail/PrivateUse1HooksInterface.h>
#endif

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr auto kFake = c10::DeviceType::PrivateUse1;
const c10::Device fakeDevice(kFake, 0);
const c10::DispatchKeySet fakeKeys(c10::DispatchKey::PrivateUse1);

// What happened since the last report. Backward nodes run on another thread.
std::mutex countersMutex;
std::map<std::string, int64_t> kernels, copies;
void count(std::map<std::string, int64_t>& table, const std::string& name) {
  std::lock_guard<std::mutex> lock(countersMutex);
  table[name]++;
}

bool isOurs(const at::Tensor& t) { return t.defined() && t.device().type() == kFake; }

// ---- memory and device, as libtorch asks for them

c10::DataPtr allocateFake(size_t bytes) {
  void* memory = std::malloc(bytes > 0 ? bytes : 1);
  return {memory, memory, &std::free, fakeDevice};
}
struct FakeAllocator final : c10::Allocator {
#if TORCH_VERSION_MAJOR >= 2
  c10::DataPtr allocate(size_t bytes) override { return allocateFake(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
#else
  c10::DataPtr allocate(size_t bytes) const override { return allocateFake(bytes); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
};
FakeAllocator allocator;

#if TORCH_VERSION_MAJOR >= 2
#define FAKE_STREAM_NOEXCEPT
#else
#define FAKE_STREAM_NOEXCEPT noexcept
#endif
struct FakeGuard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kFake; }
  c10::Device exchangeDevice(c10::Device) const override { return fakeDevice; }
  c10::Device getDevice() const override { return fakeDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device d) const FAKE_STREAM_NOEXCEPT override { return c10::Stream(c10::Stream::DEFAULT, d); }
  c10::Stream exchangeStream(c10::Stream s) const FAKE_STREAM_NOEXCEPT override { return s; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
};
c10::impl::DeviceGuardImplRegistrar guardRegistrar(kFake, new FakeGuard());

#if TORCH_VERSION_MAJOR >= 2
struct FakeHooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
};
#endif

// ---- one memory, two devices

// A tensor on `device` over the memory of `t`, which it keeps alive.
at::Tensor aliasOn(const at::Tensor& t, c10::Device device) {
  auto* kept = new at::Tensor(t);
  void* memory = const_cast<void*>(t.storage().data_ptr().get());
  c10::DataPtr data(memory, kept, [](void* p) { delete static_cast<at::Tensor*>(p); }, device);
  c10::Allocator* owner = device.type() == kFake ? &allocator : nullptr;
  c10::Storage storage(c10::Storage::use_byte_size_t(), t.storage().nbytes(), std::move(data), owner, owner != nullptr);
  auto keys = device.type() == kFake ? fakeKeys : c10::DispatchKeySet(c10::DispatchKey::CPU);
  auto alias = at::detail::make_tensor<c10::TensorImpl>(std::move(storage), keys, t.dtype());
  alias.unsafeGetTensorImpl()->set_sizes_and_strides(t.sizes(), t.strides(), t.storage_offset());
  return alias;
}
at::Tensor onHost(const at::Tensor& t) { return isOurs(t) ? aliasOn(t, c10::kCPU) : t; }

// ---- any kernel: the operands' aliases, the CPU's kernel, the results back

class FakeCall {
 public:
  FakeCall(const c10::OperatorHandle& op, torch::jit::Stack* stack) : op_(op), stack_(*stack) {
    const auto& schema = op.schema();
    name_ = schema.name() + (schema.overload_name().empty() ? "" : "." + schema.overload_name());
    first_ = stack_.size() - schema.arguments().size();
  }
  void run() {
    count(kernels, name_);
    for (size_t i = first_; i < stack_.size(); i++) lower(stack_[i], op_.schema().arguments()[i - first_]);
    TORCH_CHECK(!hasOurs_ || !hasHost_, name_, ": expected all tensors on the device, got some on the host");
    static const auto convolution = c10::Dispatcher::singleton().findSchemaOrThrow("aten::convolution", "");
    (name_ == "aten::convolution_overrideable" ? convolution : op_).callBoxed(&stack_);
    for (auto& [mine, made] : resized_) {
      mine.unsafeGetTensorImpl()->set_storage_keep_dtype(aliasOn(made, fakeDevice).storage());
      mine.unsafeGetTensorImpl()->set_sizes_and_strides(made.sizes(), made.strides());
    }
    for (size_t i = first_; i < stack_.size(); i++) raise(stack_[i]);
  }

 private:
  at::Tensor lowered(const at::Tensor& t) {
    if (!t.defined()) return t;
    if (!isOurs(t)) {
      hasHost_ |= t.dim() > 0;  // a GPU takes numbers of the host
      return t;
    }
    hasOurs_ = true;
    at::Tensor alias = aliasOn(t, c10::kCPU);
    origins_.emplace_back(alias, t);
    return alias;
  }
  void lower(c10::IValue& v, const c10::Argument& argument) {
    const auto* info = argument.alias_info();
    if (v.isTensor() && info && info->isWrite() && isOurs(v.toTensor()) && v.toTensor().numel() == 0) {
      // An output that the kernel gives its size: a stand-in, whose memory the output gets.
      at::Tensor mine = v.toTensor(), made = at::empty({0}, at::TensorOptions().dtype(mine.dtype()));
      hasOurs_ = true;
      resized_.emplace_back(mine, made);
      origins_.emplace_back(made, mine);
      v = made;
    } else if (v.isTensor()) {
      v = lowered(v.toTensor());
    } else if (v.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& t : v.toTensorVector()) list.push_back(lowered(t));
      v = list;
    } else if (v.isList() && !v.toListRef().empty() && (v.toListRef()[0].isTensor() || v.toListRef()[0].isNone())) {
      c10::List<c10::optional<at::Tensor>> list;
      for (const c10::IValue& e : v.toListRef())
        list.push_back(e.isNone() ? c10::optional<at::Tensor>() : c10::optional<at::Tensor>(lowered(e.toTensor())));
      v = list;
    } else if (v.isDevice() && v.toDevice().type() == kFake) {
      hasOurs_ = true;
      v = c10::Device(c10::kCPU);
    } else if (v.isGenerator()) {
      TORCH_CHECK(v.toGenerator().device().type() == kFake, name_, ": expected a generator of the device, got the host's");
    }
  }
  at::Tensor raised(const at::Tensor& t) {
    if (!t.defined()) return t;
    for (auto& [alias, mine] : origins_)
      if (alias.is_same(t)) return mine;
    return aliasOn(t, fakeDevice);
  }
  void raise(c10::IValue& v) {
    if (v.isTensor()) {
      v = raised(v.toTensor());
    } else if (v.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& t : v.toTensorVector()) list.push_back(raised(t));
      v = list;
    }
  }

  const c10::OperatorHandle& op_;
  torch::jit::Stack& stack_;
  std::string name_;
  size_t first_;
  bool hasOurs_ = false, hasHost_ = false;
  std::vector<std::pair<at::Tensor, at::Tensor>> origins_, resized_;
};
void anyKernel(const c10::OperatorHandle& op, torch::jit::Stack* stack) { FakeCall(op, stack).run(); }

// ---- kernels that a device must bring itself

at::Tensor emptyStrided(at::IntArrayRef size, at::IntArrayRef stride, c10::optional<at::ScalarType> dtype,
                        c10::optional<at::Layout>, c10::optional<at::Device>, c10::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator, fakeKeys, c10::dtype_or_default(dtype));
}
at::Tensor emptyFormatted(at::IntArrayRef size, c10::optional<at::ScalarType> dtype, c10::optional<at::Layout>,
                          c10::optional<at::Device>, c10::optional<bool>, c10::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator, fakeKeys, c10::dtype_or_default(dtype), format);
}
at::Tensor copyFrom(const at::Tensor& from, const at::Tensor& to, bool) {
  const char* direction = !isOurs(from) ? "to device" : isOurs(to) ? "within" : "to host";
  count(copies, direction);
  onHost(to).copy_(onHost(from));
  return to;
}
at::Scalar localScalar(const at::Tensor& t) {
  count(copies, "item");
  return onHost(t).item();
}
at::Tensor viewed(const at::Tensor& t, at::IntArrayRef size, at::IntArrayRef stride, int64_t offset) {
  auto view = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, c10::Storage(t.storage()), t.key_set(), t.dtype());
  view.unsafeGetTensorImpl()->set_sizes_and_strides(size, stride, offset);
  return view;
}
#if TORCH_VERSION_MAJOR >= 2
#define INTS(symbolic) C10_AS_INTARRAYREF_SLOW(symbolic)
#else
#define INTS(symbolic) c10::asIntArrayRefSlow(symbolic)
#endif
at::Tensor view(const at::Tensor& t, c10::SymIntArrayRef size) {
  at::Tensor alias = onHost(t).view(INTS(size));
  return viewed(t, alias.sizes(), alias.strides(), t.storage_offset());
}
at::Tensor asStrided(const at::Tensor& t, c10::SymIntArrayRef size, c10::SymIntArrayRef stride,
                     c10::optional<c10::SymInt> offset) {
  return viewed(t, INTS(size), INTS(stride), offset.has_value() ? offset->expect_int() : t.storage_offset());
}
at::Tensor reshapeAlias(const at::Tensor& t, c10::SymIntArrayRef size, c10::SymIntArrayRef stride) {
  return viewed(t, INTS(size), INTS(stride), t.storage_offset());
}

// Without the bias's gradient: that is a sum.
std::tuple<at::Tensor, at::Tensor, at::Tensor> convolutionBackward(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding, int64_t groups,
    std::array<bool, 3> wanted) {
  count(kernels, "aten::convolution_backward");
  TORCH_CHECK(isOurs(gradient) && isOurs(input) && isOurs(weight), "convolution_backward: expected all tensors on the device");
  const int64_t biases = weight.size(transposed ? 1 : 0);
  auto [dInput, dWeight, dBias] = at::convolution_backward(onHost(gradient), onHost(input), onHost(weight), biases, stride,
                                                           padding, dilation, transposed, output_padding, groups, wanted);
  auto lifted = [](const at::Tensor& t) { return t.defined() ? aliasOn(t, fakeDevice) : t; };
  return {lifted(dInput), lifted(dWeight), lifted(dBias)};
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&anyKernel>()); }
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", TORCH_FN(emptyFormatted));
  m.impl("empty_strided", TORCH_FN(emptyStrided));
  m.impl("_copy_from", TORCH_FN(copyFrom));
  m.impl("_local_scalar_dense", TORCH_FN(localScalar));
  m.impl("view", TORCH_FN(view));
  m.impl("as_strided", TORCH_FN(asStrided));
  m.impl("_reshape_alias", TORCH_FN(reshapeAlias));
  m.impl("convolution_backward_overrideable", TORCH_FN(convolutionBackward));
  m.impl("convolution_overrideable", torch::CppFunction::makeFromBoxedFunction<&anyKernel>());
}

// ---- what a test asks

// report() -> JSON { kernels, copies }: counts by name since the last report.
napi_value report(napi_env env, napi_callback_info) {
  std::lock_guard<std::mutex> lock(countersMutex);
  std::string text;
  for (auto* table : {&kernels, &copies}) {
    text += table == &kernels ? "{\"kernels\":{" : "},\"copies\":{";
    bool isFirst = true;
    for (auto& [name, n] : *table) {
      text += (isFirst ? "\"" : ",\"") + name + "\":" + std::to_string(n);
      isFirst = false;
    }
    table->clear();
  }
  napi_value out;
  napi_create_string_utf8(env, (text + "}}").c_str(), NAPI_AUTO_LENGTH, &out);
  return out;
}

}  // namespace

NAPI_MODULE_INIT() {
  c10::SetAllocator(kFake, &allocator);
#if TORCH_VERSION_MAJOR >= 2
  static FakeHooks hooks;
  if (!at::isPrivateUse1HooksRegistered()) at::RegisterPrivateUse1HooksInterface(&hooks);
  // The engine asks which accelerator there is, and a backend is one once it has a name.
  c10::register_privateuse1_backend("privateuseone");
#endif
  napi_value function;
  napi_create_function(env, "report", NAPI_AUTO_LENGTH, report, nullptr, &function);
  napi_set_named_property(env, exports, "report", function);
  return exports;
}
