// Between JavaScript values and libtorch's IValues, driven by the loaded library's own schemas.
#include "engine.h"

#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>

#include <cmath>
#include <sstream>

namespace oppo {

int32_t Call::handle(size_t i) const {
  int32_t h;
  return i < argc && napi_get_value_int32(env, argv[i], &h) == napi_ok ? h : -1;
}
bool Call::given(size_t i) const {
  if (i >= argc) return false;
  napi_valuetype type;
  napi_typeof(env, argv[i], &type);
  return type != napi_undefined && type != napi_null;
}

std::string asString(napi_env env, napi_value value) {
  size_t n = 0;
  TORCH_CHECK(napi_get_value_string_utf8(env, value, nullptr, 0, &n) == napi_ok, "expected a string");
  std::string s(n, 0);
  napi_get_value_string_utf8(env, value, &s[0], n + 1, &n);
  return s;
}
int64_t asInt(napi_env env, napi_value value) {
  double d;
  if (napi_get_value_double(env, value, &d) == napi_ok) {
    TORCH_CHECK(d == std::trunc(d) && std::abs(d) <= 9007199254740992.0, "expected an integer, got ", d);
    return (int64_t)d;
  }
  int64_t i;
  bool lossless;
  TORCH_CHECK(napi_get_value_bigint_int64(env, value, &i, &lossless) == napi_ok && lossless, "expected an integer");
  return i;
}
double asDouble(napi_env env, napi_value value) {
  double d;
  TORCH_CHECK(napi_get_value_double(env, value, &d) == napi_ok, "expected a number");
  return d;
}
bool asBool(napi_env env, napi_value value) {
  bool b;
  TORCH_CHECK(napi_get_value_bool(env, value, &b) == napi_ok, "expected a boolean");
  return b;
}
// JavaScript has one number type: an integral number is an integer scalar, as in Python `2`. -0 stays a float.
static c10::IValue asScalar(napi_env env, napi_value value) {
  double d;
  if (napi_get_value_double(env, value, &d) == napi_ok) {
    bool integral = d == std::trunc(d) && std::abs(d) < 9007199254740992.0 && !(d == 0 && std::signbit(d));
    return integral ? c10::IValue((int64_t)d) : c10::IValue(d);
  }
  bool b;
  if (napi_get_value_bool(env, value, &b) == napi_ok) return c10::IValue(b);
  return c10::IValue(asInt(env, value));
}

template <class F>
static void eachElement(napi_env env, napi_value value, F visit) {
  uint32_t n;
  TORCH_CHECK(napi_get_array_length(env, value, &n) == napi_ok, "expected an array");
  for (uint32_t i = 0; i < n; i++) {
    napi_value element;
    napi_get_element(env, value, i, &element);
    visit(element);
  }
}
static int32_t asHandle(napi_env env, napi_value value) {
  int32_t h;
  return napi_get_value_int32(env, value, &h) == napi_ok ? h : -1;
}
std::vector<int64_t> asInts(napi_env env, napi_value value) {
  std::vector<int64_t> ints;
  eachElement(env, value, [&](napi_value e) { ints.push_back(asInt(env, e)); });
  return ints;
}
std::vector<at::Tensor> asTensors(Engine& engine, napi_value value) {
  std::vector<at::Tensor> tensors;
  eachElement(engine.env, value, [&](napi_value e) { tensors.push_back(engine.tensor(asHandle(engine.env, e))); });
  return tensors;
}

template <class Create, class T>
static napi_value make(Create create, napi_env env, T value) {
  napi_value r;
  create(env, value, &r);
  return r;
}
napi_value fromInt(napi_env env, int32_t value) { return make(napi_create_int32, env, value); }
napi_value fromDouble(napi_env env, double value) { return make(napi_create_double, env, value); }
napi_value fromBool(napi_env env, bool value) { return make(napi_get_boolean, env, value); }
napi_value fromString(napi_env env, const std::string& value) {
  napi_value r;
  napi_create_string_utf8(env, value.c_str(), value.size(), &r);
  return r;
}
template <class L, class F>
static napi_value fromList(napi_env env, const L& list, F convert) {
  napi_value r;
  napi_create_array_with_length(env, list.size(), &r);
  for (size_t i = 0; i < list.size(); i++) napi_set_element(env, r, i, convert(list[i]));
  return r;
}
napi_value fromIValue(Engine& engine, c10::IValue&& value) {
  napi_env env = engine.env;
  auto put = [&](at::Tensor t) { return fromInt(env, t.defined() ? engine.tensors.put(std::move(t)) : 0); };
  if (value.isTensor()) return put(std::move(value).toTensor());
  if (value.isTensorList()) return fromList(env, value.toTensorVector(), put);
  if (value.isInt()) return fromDouble(env, (double)value.toInt());
  if (value.isDouble()) return fromDouble(env, value.toDouble());
  if (value.isBool()) return fromBool(env, value.toBool());
  if (value.isString()) return fromString(env, value.toStringRef());
  if (value.isIntList()) return fromList(env, value.toIntVector(), [&](int64_t i) { return fromDouble(env, (double)i); });
  if (value.isScalar()) return fromDouble(env, value.toScalar().toDouble());
  TORCH_CHECK(value.isNone(), "unsupported return type ", value.tagKind());
  return nullptr;
}

static Kind kindOf(const c10::TypePtr& type) {
  using c10::TypeKind;
  switch (type->kind()) {
    case TypeKind::TensorType: return Kind::Tensor;
    case TypeKind::NumberType: return Kind::Scalar;
    // dtypes, layouts and memory formats are integers in an IValue
    case TypeKind::ScalarTypeType: case TypeKind::LayoutType: case TypeKind::MemoryFormatType:
    case TypeKind::IntType: case TypeKind::SymIntType: return Kind::Int;
    case TypeKind::FloatType: case TypeKind::SymFloatType: return Kind::Float;
    case TypeKind::BoolType: return Kind::Bool;
    case TypeKind::StringType: return Kind::String;
    case TypeKind::DeviceObjType: return Kind::Device;
    case TypeKind::GeneratorType: return Kind::Generator;
    case TypeKind::ListType: break;
    default: return Kind::Unsupported;
  }
  switch (type->castRaw<c10::ListType>()->getElementType()->kind()) {
    case TypeKind::TensorType: return Kind::TensorList;
    case TypeKind::OptionalType: return Kind::OptionalTensorList;
    case TypeKind::IntType: case TypeKind::SymIntType: return Kind::IntList;
    case TypeKind::FloatType: return Kind::FloatList;
    case TypeKind::BoolType: return Kind::BoolList;
    case TypeKind::NumberType: return Kind::ScalarList;
    default: return Kind::Unsupported;
  }
}
ArgumentSpec describeArgument(const c10::Argument& argument) {
  ArgumentSpec spec;
  spec.name = argument.name();
  c10::TypePtr type = argument.real_type();
  spec.type = type->str();
  spec.fixedLength = argument.N() ? *argument.N() : 0;
  spec.hasDefault = argument.default_value().has_value();
  if (spec.hasDefault) spec.defaultValue = *argument.default_value();
  spec.isOptional = type->kind() == c10::TypeKind::OptionalType;
  spec.kind = kindOf(spec.isOptional ? type->castRaw<c10::OptionalType>()->getElementType() : type);
  return spec;
}

template <class List, class F>
static void pushList(Engine& engine, napi_value value, torch::jit::Stack& stack, List list, F convert) {
  eachElement(engine.env, value, [&](napi_value e) { list.push_back(convert(engine.env, e)); });
  stack.emplace_back(std::move(list));
}
// int[N] also takes one number, meant N times.
static void pushIntList(Engine& engine, const ArgumentSpec& spec, napi_value value, torch::jit::Stack& stack) {
  double lone;
  if (napi_get_value_double(engine.env, value, &lone) != napi_ok) {
    return pushList(engine, value, stack, c10::List<int64_t>(), asInt);
  }
  int64_t number = asInt(engine.env, value);
  stack.emplace_back(std::vector<int64_t>(std::max(1, spec.fixedLength), number));
}

void pushArgument(Engine& engine, const ArgumentSpec& spec, napi_value value, torch::jit::Stack& stack) {
  napi_env env = engine.env;
  int32_t handle;
  if (spec.kind == Kind::Tensor && napi_get_value_int32(env, value, &handle) == napi_ok) {  // the hot case first
    stack.emplace_back(engine.tensor(handle));
    return;
  }
  napi_valuetype type;
  napi_typeof(env, value, &type);
  if (type == napi_undefined && spec.hasDefault) return stack.push_back(spec.defaultValue);
  if (type == napi_undefined || type == napi_null) {
    TORCH_CHECK(spec.isOptional, "argument '", spec.name, "' (", spec.type, ") is required");
    return (void)stack.emplace_back();
  }
  switch (spec.kind) {
    case Kind::Scalar: return stack.push_back(asScalar(env, value));
    case Kind::Int: return (void)stack.emplace_back(asInt(env, value));
    case Kind::Float: return (void)stack.emplace_back(asDouble(env, value));
    case Kind::Bool: return (void)stack.emplace_back(asBool(env, value));
    case Kind::String: return (void)stack.emplace_back(asString(env, value));
    case Kind::Device: return (void)stack.emplace_back(c10::Device(asString(env, value)));
    case Kind::Generator: {
      at::Generator* generator = engine.generators.find(asHandle(env, value));
      if (!generator) throw DisposedError("a generator was used after it was disposed");
      return (void)stack.emplace_back(*generator);
    }
    case Kind::IntList: return pushIntList(engine, spec, value, stack);
    case Kind::FloatList: return pushList(engine, value, stack, c10::List<double>(), asDouble);
    case Kind::BoolList: return pushList(engine, value, stack, c10::List<bool>(), asBool);
    case Kind::ScalarList:
      return pushList(engine, value, stack, c10::impl::GenericList(c10::NumberType::get()), asScalar);
    case Kind::TensorList:
      return pushList(engine, value, stack, c10::List<at::Tensor>(),
                      [&](napi_env e, napi_value v) { return engine.tensor(asHandle(e, v)); });
    case Kind::OptionalTensorList:  // null is sent as handle 0
      return pushList(engine, value, stack, c10::List<c10::optional<at::Tensor>>(), [&](napi_env e, napi_value v) {
        int32_t h = asHandle(e, v);
        return h == 0 ? c10::optional<at::Tensor>() : c10::optional<at::Tensor>(engine.tensor(h));
      });
    default: TORCH_CHECK(false, "argument '", spec.name, "' of type ", spec.type, " cannot be made from this value");
  }
}

static std::string summarizeTensor(const at::Tensor& t) {
  if (!t.defined()) return "undefined";
  std::ostringstream out;
  out << c10::toString(t.scalar_type()) << t.sizes();
  if (!t.device().is_cpu()) out << '@' << t.device();
  return out.str();
}
std::string summarize(const c10::IValue& value) {
  if (value.isTensor()) return summarizeTensor(value.toTensor());
  std::ostringstream out;
  if (!value.isTensorList()) return out << value, out.str();
  auto list = value.toTensorVector();
  for (size_t i = 0; i < list.size() && i < 4; i++) out << (i ? ", " : "") << summarizeTensor(list[i]);
  return "[" + out.str() + (list.size() > 4 ? ", ...]" : "]");
}

}  // namespace oppo
