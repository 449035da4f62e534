// Typed arrays in and out of tensors. Checkpoints are mapped by aten::from_file, which the dispatcher has.
#include "engine.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>

#include <cstring>
#include <limits>

namespace oppo {

struct View {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
};
static View viewOf(napi_env env, napi_value value) {
  View v;
  bool ok = napi_get_typedarray_info(env, value, &v.type, &v.length, &v.data, nullptr, nullptr) == napi_ok;
  TORCH_CHECK(ok, "expected a typed array");
  return v;
}
// The dtype whose elements a typed array holds. Uint16Array holds the bits of a half precision `wanted`.
static at::ScalarType dtypeOf(const View& v, at::ScalarType wanted) {
  switch (v.type) {
    case napi_int8_array: return at::kChar;
    case napi_uint8_array: case napi_uint8_clamped_array: return wanted == at::kBool ? at::kBool : at::kByte;
    case napi_int16_array: return at::kShort;
    case napi_int32_array: return at::kInt;
    case napi_float32_array: return at::kFloat;
    case napi_float64_array: return at::kDouble;
    case napi_bigint64_array: return at::kLong;
    case napi_uint16_array:
      TORCH_CHECK(wanted == at::kBFloat16 || wanted == at::kHalf, "a Uint16Array holds bfloat16 or float16 bits");
      return wanted;
    default: TORCH_CHECK(false, "this kind of typed array has no dtype");
  }
}

// fromTyped(array, shape, dtype) -> handle. Copies; converts where the array's own dtype differs.
static napi_value fromTyped(Call& c) {
  View v = viewOf(c.env, c.argv[0]);
  std::vector<int64_t> shape = asInts(c.env, c.argv[1]);
  auto wanted = (at::ScalarType)asInt(c.env, c.argv[2]);
  auto stored = dtypeOf(v, wanted);
  at::Tensor t;
  {
    at::AutoDispatchBelowADInplaceOrView below;
    t = at::empty(shape, at::TensorOptions().dtype(stored));
    TORCH_CHECK((size_t)t.numel() == v.length, "shape ", t.sizes(), " holds ", t.numel(), " elements, the array has ",
                v.length);
    if (v.length) std::memcpy(t.data_ptr(), v.data, t.nbytes());
    if (stored != wanted) t = t.to(wanted);
  }
  return fromInt(c.env, c.engine->tensors.put(std::move(t)));
}

static void copyInt64To32(const at::Tensor& t, int32_t* out) {
  const int64_t* in = static_cast<const int64_t*>(t.data_ptr());
  for (int64_t i = 0, n = t.numel(); i < n; i++) {
    bool fits = in[i] >= std::numeric_limits<int32_t>::min() && in[i] <= std::numeric_limits<int32_t>::max();
    TORCH_CHECK(fits, "element ", i, " is ", in[i], ", which does not fit an Int32Array");
    out[i] = (int32_t)in[i];
  }
}
// toTyped(handle, array): copies into it, converted to the array's dtype.
static napi_value toTyped(Call& c) {
  View v = viewOf(c.env, c.argv[1]);
  at::Tensor t = c.tensor(0).detach();
  TORCH_CHECK((size_t)t.numel() == v.length, "the array holds ", v.length, " elements, the tensor ", t.numel());
  if (!t.device().is_cpu()) t = t.cpu();
  at::ScalarType wanted = dtypeOf(v, t.scalar_type());
  if (wanted == at::kInt && t.scalar_type() == at::kLong) {
    copyInt64To32(t.contiguous(), static_cast<int32_t*>(v.data));
  } else if (v.length) {
    t = t.to(wanted).contiguous();
    std::memcpy(v.data, t.data_ptr(), t.nbytes());
  }
  return nullptr;
}

std::vector<Export> bufferExports() { return {{"fromTyped", entry<fromTyped>}, {"toTyped", entry<toTyped>}}; }

}  // namespace oppo
