// The generic call: operators are declared by name, resolved in libtorch's dispatcher and called boxed.
// Also the operators' own descriptions (the wrappers are generated from them), error throwing and module set-up.
#include "engine.h"

#include <torch/csrc/jit/frontend/function_schema_parser.h>

#include <sstream>

namespace oppo {

napi_value throwError(Engine& engine, const char* kind, const std::string& message, const std::string& op,
                      const std::string& schema, const std::string& arguments) {
  napi_env env = engine.env;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return nullptr;
  napi_value factory, undefined, error;
  napi_get_undefined(env, &undefined);
  if (engine.errorFactory && napi_get_reference_value(env, engine.errorFactory, &factory) == napi_ok) {
    napi_value argv[] = {fromString(env, kind), fromString(env, message), fromString(env, op), fromString(env, schema),
                         fromString(env, arguments)};
    if (napi_call_function(env, undefined, factory, 5, argv, &error) == napi_ok) napi_throw(env, error);
  } else {
    napi_throw_error(env, kind, (op + " " + message).c_str());
  }
  return nullptr;
}

static napi_value setErrorFactory(Call& c) {
  napi_create_reference(c.env, c.argv[0], 1, &c.engine->errorFactory);
  return nullptr;
}

// declare(name, overload) -> index to call with. Nothing is looked up yet: a missing operator fails when it is called.
static napi_value declare(Call& c) {
  auto op = std::make_unique<Operator>();
  op->name = asString(c.env, c.argv[0]);
  op->overload = asString(c.env, c.argv[1]);
  c.engine->operators.push_back(std::move(op));
  return fromInt(c.env, (int32_t)c.engine->operators.size() - 1);
}

static void resolve(Operator& op) {
  auto handle = c10::Dispatcher::singleton().findSchema({op.name, op.overload});
  TORCH_CHECK(handle.has_value(), "this libtorch has no such operator; ask hasOperator() first");
  const c10::FunctionSchema& schema = handle->schema();
  TORCH_CHECK(schema.arguments().size() < Call::kMaxArguments, "too many arguments");
  for (auto& argument : schema.arguments()) op.arguments.push_back(describeArgument(argument));
  auto& returns = schema.returns();
  op.returnsAlias = returns.size() == 1 && returns[0].alias_info() && returns[0].alias_info()->isWrite();
  op.handle = *handle;
}

// One argument stack per thread, reused; a call made while another is running (JavaScript backward) gets its own.
class StackLease {
 public:
  StackLease() : mine_(!busy_) {
    if (mine_) busy_ = true;
  }
  ~StackLease() {
    if (!mine_) return;
    shared_.clear();
    busy_ = false;
  }
  torch::jit::Stack& operator*() { return mine_ ? shared_ : own_; }

 private:
  static thread_local torch::jit::Stack shared_;
  static thread_local bool busy_;
  bool mine_;
  torch::jit::Stack own_;
};
thread_local torch::jit::Stack StackLease::shared_;
thread_local bool StackLease::busy_ = false;

// "self: Float[2, 3], other: Float[4, 5]", read again from the JavaScript values because the stack is half consumed.
static std::string describeArguments(Call& c, const Operator& op) {
  std::ostringstream out;
  for (size_t i = 0; i < op.arguments.size() && i + 1 < c.argc; i++) {
    if (!c.given(i + 1)) continue;
    std::string text;
    try {
      torch::jit::Stack one;
      pushArgument(*c.engine, op.arguments[i], c.argv[i + 1], one);
      text = summarize(one[0]);
    } catch (const DisposedError&) {
      text = "disposed";
    } catch (const std::exception&) {
      text = "invalid";
    }
    out << (out.tellp() > 0 ? ", " : "") << op.arguments[i].name << ": " << text;
  }
  return out.str();
}
static napi_value throwOperatorError(Call& c, const Operator& op, const char* kind, const std::string& message) {
  bool pending = false;
  napi_is_exception_pending(c.env, &pending);
  if (pending) return nullptr;
  std::ostringstream schema;
  if (op.handle) schema << op.handle->schema();
  std::string name = op.overload.empty() ? op.name : op.name + "." + op.overload;
  return throwError(*c.engine, kind, message, name, schema.str(), describeArguments(c, op));
}

// call(index, ...arguments in schema order) -> handle, number, boolean, array of these, or undefined when in place.
// A trailing or undefined argument takes the schema's default; null means None.
static napi_value call(Call& c) {
  int32_t index = c.handle(0);
  TORCH_CHECK(index >= 0 && (size_t)index < c.engine->operators.size(), "call: not a declared operator");
  Operator& op = *c.engine->operators[index];
  try {
    if (!op.handle) resolve(op);
    StackLease lease;
    torch::jit::Stack& stack = *lease;
    for (size_t i = 0; i < op.arguments.size(); i++) {
      const ArgumentSpec& spec = op.arguments[i];
      if (i + 1 < c.argc) pushArgument(*c.engine, spec, c.argv[i + 1], stack);
      else if (spec.hasDefault) stack.push_back(spec.defaultValue);
      else if (spec.isOptional) stack.emplace_back();
      else TORCH_CHECK(false, "argument '", spec.name, "' (", spec.type, ") is missing");
    }
    op.handle->callBoxed(&stack);
    if (stack.empty() || op.returnsAlias) return nullptr;
    if (stack.size() == 1) return fromIValue(*c.engine, std::move(stack[0]));
    napi_value list;
    napi_create_array_with_length(c.env, stack.size(), &list);
    for (size_t i = 0; i < stack.size(); i++) {
      napi_set_element(c.env, list, i, fromIValue(*c.engine, std::move(stack[i])));
    }
    return list;
  } catch (const DisposedError& e) {
    return throwOperatorError(c, op, "disposed", e.what());
  } catch (const c10::Error& e) {
    return throwOperatorError(c, op, op.handle ? "operator" : "missing", e.what_without_backtrace());
  } catch (const std::exception& e) {
    return throwOperatorError(c, op, "operator", e.what());
  }
}

static napi_value hasOperator(Call& c) {
  std::string name = asString(c.env, c.argv[0]), overload = asString(c.env, c.argv[1]);
  return fromBool(c.env, c10::Dispatcher::singleton().findSchema({name, overload}).has_value());
}

static void set(napi_env env, napi_value object, const char* key, napi_value value) {
  napi_set_named_property(env, object, key, value);
}
static napi_value describeOne(napi_env env, const c10::Argument& a) {
  napi_value r;
  napi_create_object(env, &r);
  set(env, r, "name", fromString(env, a.name()));
  set(env, r, "type", fromString(env, a.real_type()->str()));
  set(env, r, "keywordOnly", fromBool(env, a.kwarg_only()));
  set(env, r, "hasDefault", fromBool(env, a.default_value().has_value()));
  set(env, r, "fixedLength", fromInt(env, a.N() ? *a.N() : 0));
  set(env, r, "isWritten", fromBool(env, a.alias_info() && a.alias_info()->isWrite()));
  return r;
}
template <class L>
static napi_value describeAll(napi_env env, const L& arguments) {
  napi_value r;
  napi_create_array(env, &r);
  for (size_t i = 0; i < arguments.size(); i++) napi_set_element(env, r, i, describeOne(env, arguments[i]));
  return r;
}
// describe("aten::add.Tensor" or a whole schema) -> {name, overload, schema, arguments, returns}, null when unknown.
static napi_value describe(Call& c) {
  std::string text = asString(c.env, c.argv[0]);
  c10::optional<c10::FunctionSchema> schema;
  if (text.find('(') != std::string::npos) {
    schema = torch::jit::parseSchema(text);
  } else {
    size_t dot = text.find('.');
    std::string overload = dot == std::string::npos ? "" : text.substr(dot + 1);
    auto handle = c10::Dispatcher::singleton().findSchema({text.substr(0, dot), overload});
    if (!handle) return nullptr;
    schema = handle->schema();
  }
  std::ostringstream printed;
  printed << *schema;
  napi_value r;
  napi_create_object(c.env, &r);
  set(c.env, r, "name", fromString(c.env, schema->name()));
  set(c.env, r, "overload", fromString(c.env, schema->overload_name()));
  set(c.env, r, "schema", fromString(c.env, printed.str()));
  set(c.env, r, "arguments", describeAll(c.env, schema->arguments()));
  set(c.env, r, "returns", describeAll(c.env, schema->returns()));
  return r;
}

std::vector<Export> dispatchExports() {
  return {{"declare", entry<declare>},
          {"call", entry<call>},
          {"hasOperator", entry<hasOperator>},
          {"describe", entry<describe>},
          {"setErrorFactory", entry<setErrorFactory>}};
}

// Runs when the environment ends. Guards may be finalized after this, so they share ownership of the engine.
static void closeEngine(void* data) {
  auto* owner = static_cast<std::shared_ptr<Engine>*>(data);
  Engine& engine = **owner;
  while (!engine.inference.empty()) engine.inference.pop_back();
  engine.tensors = Slab<at::Tensor>();
  engine.generators = Slab<at::Generator>();
  engine.deleteDead();
  engine.closed = true;
  delete owner;
}

}  // namespace oppo

NAPI_MODULE_INIT() {
  using namespace oppo;
  auto* owner = new std::shared_ptr<Engine>(std::make_shared<Engine>());
  Engine* engine = owner->get();
  engine->env = env;
  napi_add_env_cleanup_hook(env, closeEngine, owner);
  for (auto& list : {dispatchExports(), tensorExports(), autogradExports(), bufferExports(), deviceExports()}) {
    for (auto& e : list) {
      napi_value function;
      napi_create_function(env, e.name, NAPI_AUTO_LENGTH, e.callback, engine, &function);
      napi_set_named_property(env, exports, e.name, function);
    }
  }
  return exports;
}
