// Autograd beyond the dispatcher: gradient mode, gradients, and a graph node whose backward is a JavaScript function.
// (requires_grad_, retain_grad and _backward are operators and go through the generic call.)
#include "engine.h"

#include <ATen/ThreadLocalState.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>

#include <algorithm>

namespace oppo {

using torch::autograd::variable_list;

// setGradMode(enabled) -> what it was. Thread local.
static napi_value setGradMode(Call& c) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(asBool(c.env, c.argv[0]));
  return fromBool(c.env, before);
}
// Inference guards unwind last in, first out on this thread: the TypeScript side only nests them in sync functions.
static napi_value pushInference(Call& c) {
  c.engine->inference.emplace_back(new c10::InferenceMode(true));
  return nullptr;
}
static napi_value popInference(Call& c) {
  if (!c.engine->inference.empty()) c.engine->inference.pop_back();
  return nullptr;
}

static napi_value requiresGrad(Call& c) { return fromBool(c.env, c.tensor(0).requires_grad()); }
// grad(handle) -> handle, 0 when there is none.
static napi_value grad(Call& c) {
  const at::Tensor& g = c.tensor(0).grad();
  return fromInt(c.env, g.defined() ? c.engine->tensors.put(g) : 0);
}
static napi_value setGrad(Call& c) {
  c.tensor(0).mutable_grad() = c.given(1) ? c.tensor(1) : at::Tensor();
  return nullptr;
}

static napi_value handlesOf(Engine& engine, const variable_list& tensors) {
  napi_value list;
  napi_create_array_with_length(engine.env, tensors.size(), &list);
  for (size_t i = 0; i < tensors.size(); i++)
    napi_set_element(engine.env, list, i, fromInt(engine.env, tensors[i].defined() ? engine.tensors.put(tensors[i]) : 0));
  return list;
}

void JavaScriptThread::waitFor(const std::function<void()>& work) {
  TORCH_CHECK(!isWaiting_, "on a device a JavaScript backward cannot start another backward pass");
  std::exception_ptr error;
  at::ThreadLocalState state;
  std::unique_lock<std::mutex> lock(mutex_);
  isWaiting_ = true;
  std::thread worker([&] {
    at::ThreadLocalStateGuard guard(state);
    try {
      work();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard<std::mutex> done(mutex_);
    isWaiting_ = false;
    changed_.notify_all();
  });
  while (true) {
    changed_.wait(lock, [&] { return job_ || !isWaiting_; });
    if (!job_) break;
    auto* job = job_;
    lock.unlock();
    (*job)();
    lock.lock();
    job_ = nullptr;
    changed_.notify_all();
  }
  lock.unlock();
  worker.join();
  if (error) std::rethrow_exception(error);
}
void JavaScriptThread::run(const std::function<void()>& job) {
  if (std::this_thread::get_id() == id_) return job();
  std::exception_ptr error;
  bool isRecording = at::GradMode::is_enabled();
  std::function<void()> guarded = [&] {
    at::AutoGradMode mode(isRecording);
    try {
      job();
    } catch (...) {
      error = std::current_exception();
    }
  };
  std::unique_lock<std::mutex> lock(mutex_);
  TORCH_CHECK(isWaiting_, "a JavaScript backward was reached by a backward pass that JavaScript did not start");
  changed_.wait(lock, [&] { return !job_; });  // of another device's thread
  job_ = &guarded;
  changed_.notify_all();
  changed_.wait(lock, [&] { return job_ != &guarded; });  // it was taken off when it was done
  lock.unlock();
  if (error) std::rethrow_exception(error);
}
static void runBackward(Engine& engine, const at::Tensor& root, const std::function<void()>& work) {
  if (root.is_cpu()) work();  // its nodes run on this thread
  else engine.thread.waitFor(work);
}
// backward(handle, gradient?, retainGraph)
static napi_value backward(Call& c) {
  variable_list root{c.tensor(0)}, upstream{c.given(1) ? c.tensor(1) : at::Tensor()};
  bool retain = asBool(c.env, c.argv[2]);
  runBackward(*c.engine, root[0], [&] { torch::autograd::backward(root, upstream, retain); });
  return nullptr;
}
// gradOf(outputs, inputs, gradOutputs?, retainGraph, createGraph) -> handles, 0 for an input that was not used.
static napi_value gradOf(Call& c) {
  variable_list outputs = asTensors(*c.engine, c.argv[0]), inputs = asTensors(*c.engine, c.argv[1]), upstream;
  if (c.given(2)) upstream = asTensors(*c.engine, c.argv[2]);
  bool retain = asBool(c.env, c.argv[3]), create = asBool(c.env, c.argv[4]);
  TORCH_CHECK(!outputs.empty(), "gradOf: expected an output");
  variable_list gradients;
  runBackward(*c.engine, outputs[0],
              [&] { gradients = torch::autograd::grad(outputs, inputs, upstream, retain, create, true); });
  return handlesOf(*c.engine, gradients);
}

struct JsNode : public torch::autograd::Node {
  std::shared_ptr<Engine> engine;
  napi_ref function;
  variable_list saved;
  JsNode(std::shared_ptr<Engine> e, napi_ref f, variable_list s) : engine(std::move(e)), function(f), saved(s) {}
  ~JsNode() override {
    if (!engine->closed) engine->deleteLater(function);
  }
  std::string name() const override { return "JavaScriptBackward"; }
  variable_list apply(variable_list&& upstream) override {
    if (!upstream[0].defined()) return variable_list(num_outputs());
    variable_list result;
    engine->thread.run([&] { result = call(upstream[0]); });
    TORCH_CHECK(result.size() == num_outputs(), "a JavaScript backward returned ", result.size(), " gradients for ",
                num_outputs(), " inputs");
    return result;
  }

 private:
  variable_list call(const at::Tensor& upstream) {
    napi_env env = engine->env;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value callee, receiver, ignored;
    napi_get_reference_value(env, function, &callee);
    napi_get_undefined(env, &receiver);
    napi_value arguments[] = {fromInt(env, engine->tensors.put(upstream)), handlesOf(*engine, saved)};
    engine->delivered.clear();
    napi_status status = napi_call_function(env, receiver, callee, 2, arguments, &ignored);
    napi_close_handle_scope(env, scope);
    TORCH_CHECK(status == napi_ok, "a JavaScript backward threw");
    return std::exchange(engine->delivered, {});
  }
};
// deliver(handles): called by a JavaScript backward, inside its scope, with its gradients; 0 means none.
static napi_value deliver(Call& c) {
  variable_list result;
  for (int64_t h : asInts(c.env, c.argv[0])) result.push_back(h == 0 ? at::Tensor() : c.engine->tensor((int32_t)h));
  c.engine->delivered = std::move(result);
  return nullptr;
}
// customGrad(inputs, output, backward, saved) -> the output's values, attached to the inputs by a JsNode with `saved`.
static napi_value customGrad(Call& c) {
  c.engine->deleteDead();
  variable_list inputs = asTensors(*c.engine, c.argv[0]), saved = asTensors(*c.engine, c.argv[3]);
  at::Tensor output = c.tensor(1).detach();
  napi_ref function;
  napi_create_reference(c.env, c.argv[2], 1, &function);
  auto owner = c.engine->shared_from_this();
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 13)
  auto node = c10::make_intrusive<JsNode>(owner, function, saved);
#else
  std::shared_ptr<JsNode> node(new JsNode(owner, function, saved), torch::autograd::deleteNode);
#endif
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  bool anyGrad = at::GradMode::is_enabled();
  if (anyGrad) anyGrad = std::any_of(inputs.begin(), inputs.end(), [](auto& t) { return t.requires_grad(); });
  if (anyGrad) torch::autograd::create_gradient_edge(output, node);
  return fromInt(c.env, c.engine->tensors.put(output));
}

std::vector<Export> autogradExports() {
  return {{"setGradMode", entry<setGradMode>}, {"pushInference", entry<pushInference>}, {"popInference", entry<popInference>},
          {"requiresGrad", entry<requiresGrad>}, {"grad", entry<grad>}, {"setGrad", entry<setGrad>},
          {"backward", entry<backward>}, {"gradOf", entry<gradOf>}, {"deliver", entry<deliver>}, {"customGrad", entry<customGrad>}};
}

}  // namespace oppo
