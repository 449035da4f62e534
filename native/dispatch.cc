// The generic call: operators are declared by name, resolved in libtorch's dispatcher and called boxed.
// Also the operators' schemas (the wrappers are generated from them), error throwing and module set-up.
#include "engine.h"

#include <sstream>

namespace oppo {

// libtorch's messages end with a C++ backtrace unless asked.
std::string messageOf(const std::exception& e) {
  auto* error = dynamic_cast<const c10::Error*>(&e);
  return error ? error->what_without_backtrace() : e.what();
}
static bool isExceptionPending(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  return pending;
}
napi_value throwError(Engine& engine, const char* kind, const std::string& message, const std::string& op,
                      const std::string& schema, const std::string& arguments) {
  napi_env env = engine.env;
  if (isExceptionPending(env)) return nullptr;
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
  if (isExceptionPending(c.env)) return nullptr;  // of a JavaScript backward: it goes on as it is
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
  } catch (const std::exception& e) {
    return throwOperatorError(c, op, op.handle ? "operator" : "missing", messageOf(e));
  }
}

// schemaOf(name, overload) -> the loaded library's schema as text, undefined when it has no such operator.
static napi_value schemaOf(Call& c) {
  auto handle = c10::Dispatcher::singleton().findSchema({asString(c.env, c.argv[0]), asString(c.env, c.argv[1])});
  if (!handle) return nullptr;
  std::ostringstream text;
  text << handle->schema();
  return fromString(c.env, text.str());
}

std::vector<Export> dispatchExports() {
  return {{"declare", entry<declare>}, {"call", entry<call>}, {"schemaOf", entry<schemaOf>},
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
  keepFreedMemory();
  auto* owner = new std::shared_ptr<Engine>(std::make_shared<Engine>());
  Engine* engine = owner->get();
  engine->env = env;
  napi_add_env_cleanup_hook(env, closeEngine, owner);
  for (auto& list : {dispatchExports(), tensorExports(), autogradExports(), bufferExports(), deviceExports(),
                     collectiveExports()}) {
    for (auto& e : list) {
      napi_value function;
      napi_create_function(env, e.name, NAPI_AUTO_LENGTH, e.callback, engine, &function);
      napi_set_named_property(env, exports, e.name, function);
    }
  }
  return exports;
}
