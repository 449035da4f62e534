// Sums, copies and waits over processes: a store that all of them reach, and one group of them, through what libtorch has
// compiled in. Gloo's headers are a package of their own (libgloo-dev); NCCL is compiled in where CUDA's headers are. Without
// them the functions are there and say so. Which collective, and who is missing, is said in src/tensor/world.ts.
#include "engine.h"

#include <torch/version.h>
#if __has_include(<gloo/rendezvous/store.h>) && __has_include(<torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>)
#define USE_C10D_GLOO 1
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif
#ifdef OPPO_NCCL  // scripts/build-native.mjs: libtorch has CUDA, and CUDA's headers are here
#include <torch/csrc/cuda/nccl.h>
#endif

namespace oppo {

#ifdef USE_C10D_GLOO
// One of each per process: a second world has no use here.
static c10::intrusive_ptr<c10d::Store> store;
static c10::intrusive_ptr<c10d::ProcessGroupGloo> group;

static c10d::Store& opened() {
  TORCH_CHECK(store, "the store was used before openStore");
  return *store;
}
static c10d::ProcessGroupGloo& joined() {
  TORCH_CHECK(group, "a collective was used before openGroup");
  return *group;
}
// openStore(host, port, isServer, milliseconds, prefix) -> its port. Port 0 of a server: one that is free. Keys begin with the prefix.
static napi_value openStore(Call& c) {
  c10d::TCPStoreOptions options;
  options.port = (uint16_t)asInt(c.env, c.argv[1]);
  options.isServer = asBool(c.env, c.argv[2]);
  options.timeout = std::chrono::milliseconds(asInt(c.env, c.argv[3]));
  options.waitWorkers = false;  // who is missing is found out with a name
#if TORCH_VERSION_MAJOR >= 2
  options.useLibUV = false;  // Debian builds the store without it
#endif
  auto tcp = c10::make_intrusive<c10d::TCPStore>(asString(c.env, c.argv[0]), options);
  store = c10::make_intrusive<c10d::PrefixStore>(asString(c.env, c.argv[4]), tcp);
  return fromInt(c.env, tcp->getPort());
}
static napi_value storeSet(Call& c) {
  const std::string text = asString(c.env, c.argv[1]);
  opened().set(asString(c.env, c.argv[0]), std::vector<uint8_t>(text.begin(), text.end()));
  return nullptr;
}
// storeAdd(key, number) -> what stands there now
static napi_value storeAdd(Call& c) {
  return fromDouble(c.env, (double)opened().add(asString(c.env, c.argv[0]), asInt(c.env, c.argv[1])));
}
// storeGet(key, milliseconds) -> text; undefined when nobody has set it by then.
static napi_value storeGet(Call& c) {
  const std::string key = asString(c.env, c.argv[0]);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(asInt(c.env, c.argv[1]));
  while (!opened().check({key})) {
    if (std::chrono::steady_clock::now() >= end) return nullptr;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::vector<uint8_t> bytes = opened().get(key);
  return fromString(c.env, std::string(bytes.begin(), bytes.end()));
}
// openGroup(rank, size, address, milliseconds): connects all processes. The address is this machine's: a name, "@interface", or
// empty for what its own name says.
static napi_value openGroup(Call& c) {
  const std::string address = asString(c.env, c.argv[2]);
  auto gloo = c10d::ProcessGroupGloo::Options::create(std::chrono::milliseconds(asInt(c.env, c.argv[3])));
  if (address.empty()) gloo->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
  else if (address[0] == '@') gloo->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(address.substr(1)));
  else gloo->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
  opened();
  group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, (int)asInt(c.env, c.argv[0]), (int)asInt(c.env, c.argv[1]), gloo);
  return nullptr;
}
#ifdef OPPO_NCCL
namespace nccl = torch::cuda::nccl;
static nccl::ncclComm_t comm = nullptr;
// ncclId() -> a new group's identity as text
static napi_value ncclId(Call& c) {
  nccl::ncclUniqueId id;
  nccl::get_unique_id(id);
  std::string text;
  for (char byte : id.internal) text += {(char)('a' + ((uint8_t)byte >> 4)), (char)('a' + (byte & 15))};
  return fromString(c.env, text);
}
// openNccl(rank, size, id, device): the device becomes the current one
static napi_value openNccl(Call& c) {
  c10::Device device(asString(c.env, c.argv[3]));
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  const std::string text = asString(c.env, c.argv[2]);
  nccl::ncclUniqueId id;
  TORCH_CHECK(text.size() == 2 * sizeof(id.internal), "openNccl: expected an id of ncclId, got ", text.size(), " letters");
  for (size_t i = 0; i < sizeof(id.internal); i++) id.internal[i] = (char)((text[2 * i] - 'a') << 4 | (text[2 * i + 1] - 'a'));
  comm = nccl::comm_init_rank((int)asInt(c.env, c.argv[1]), id, (int)asInt(c.env, c.argv[0]));
  return nullptr;
}
static bool onDevice(const at::Tensor& t) { return comm && t.is_cuda(); }
#endif
static napi_value closeGroup(Call&) {
#ifdef OPPO_NCCL
  if (comm) nccl::comm_destroy(comm);
  comm = nullptr;
#endif
  group.reset();
  store.reset();
  return nullptr;
}
// allReduce(tensor, "sum" | "max"): in place, the same bits on every process.
static napi_value allReduce(Call& c) {
  std::vector<at::Tensor> one = {c.tensor(0).detach()};
  const bool isMax = asString(c.env, c.argv[1]) == "max";
#ifdef OPPO_NCCL
  const int op = (int)(isMax ? nccl::ncclRedOp::Max : nccl::ncclRedOp::Sum);
  if (onDevice(one[0])) return nccl::all_reduce(one, one, op, {}, {comm}), nullptr;
#endif
  c10d::AllreduceOptions options;
  options.reduceOp = isMax ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM;
  joined().allreduce(one, options)->wait();
  return nullptr;
}
// allGather(whole, part): whole is as long as all parts together. Gloo of 1.13 has no form for flat tensors.
static napi_value allGather(Call& c) {
  at::Tensor whole = c.tensor(0).detach();
  std::vector<at::Tensor> part = {c.tensor(1).detach()};
#ifdef OPPO_NCCL
  std::vector<at::Tensor> out = {whole};
  if (onDevice(whole)) return nccl::all_gather(part, out, {}, {comm}), nullptr;
#endif
  std::vector<std::vector<at::Tensor>> parts = {whole.chunk(joined().getSize(), 0)};
  joined().allgather(parts, part)->wait();
  return nullptr;
}
// reduceScatter(part, whole): the sum's part of this process. Gloo has none in 1.13: the whole is summed, in place.
static napi_value reduceScatter(Call& c) {
  std::vector<at::Tensor> part = {c.tensor(0).detach()}, whole = {c.tensor(1).detach()};
#ifdef OPPO_NCCL
  const int op = (int)nccl::ncclRedOp::Sum;
  if (onDevice(whole[0])) return nccl::reduce_scatter(whole, part, op, {}, {comm}), nullptr;
#endif
  joined().allreduce(whole)->wait();
  part[0].copy_(whole[0].narrow(0, joined().getRank() * part[0].numel(), part[0].numel()));
  return nullptr;
}
static napi_value canGroup(Call& c) { return fromBool(c.env, true); }
#else
static napi_value openStore(Call&) {
  TORCH_CHECK(false, "the addon was built without Gloo's headers (Debian: libgloo-dev)");
}
static napi_value openGroup(Call& c) { return openStore(c); }
static napi_value storeSet(Call& c) { return openStore(c); }
static napi_value storeAdd(Call& c) { return openStore(c); }
static napi_value storeGet(Call& c) { return openStore(c); }
static napi_value closeGroup(Call& c) { return openStore(c); }
static napi_value allReduce(Call& c) { return openStore(c); }
static napi_value allGather(Call& c) { return openStore(c); }
static napi_value reduceScatter(Call& c) { return openStore(c); }
static napi_value canGroup(Call& c) { return fromBool(c.env, false); }
#endif
#if !defined(USE_C10D_GLOO) || !defined(OPPO_NCCL)
static napi_value ncclId(Call&) { return nullptr; }
static napi_value openNccl(Call&) { return nullptr; }
#endif

std::vector<Export> collectiveExports() {
  return {{"canGroup", entry<canGroup>},   {"openStore", entry<openStore>},   {"storeSet", entry<storeSet>},
          {"storeAdd", entry<storeAdd>},   {"storeGet", entry<storeGet>},     {"openGroup", entry<openGroup>},
          {"ncclId", entry<ncclId>},       {"openNccl", entry<openNccl>},     {"closeGroup", entry<closeGroup>},
          {"allReduce", entry<allReduce>}, {"allGather", entry<allGather>},   {"reduceScatter", entry<reduceScatter>}};
}

}  // namespace oppo
