#include "training/distributed/communicator.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

#ifdef USE_C10D_GLOO
#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "nn/cuda/gpu_api.hpp"
#include "nn/device.hpp"
#include "training/distributed/peer_watch.hpp"
#endif

namespace yolov7::training {

std::unique_ptr<Communicator> Communicator::alone() {
  return std::unique_ptr<Communicator>(new Communicator(run::World{}));
}

std::vector<double> Communicator::sum(std::vector<double> values) {
  if (size() == 1) return values;
  at::Tensor tensor =
      at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kDouble);
  sum(tensor);
  return values;
}

double Communicator::least(double value) {
  const at::Tensor all = gather(at::full({1}, value, at::kDouble));
  return all.min().item<double>();
}

#ifdef USE_C10D_GLOO

namespace {

/// The address by which this machine reaches the host: interfaces need no names that way, and
/// namespaces no resolver.
std::string own_address(const std::string& host, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0 ||
      found == nullptr)
    throw Error(
        fmt::format("training by several processes: the address '{}' of rank 0 is not known here",
                    text::printable(host)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  const int descriptor = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage local{};
  socklen_t length = sizeof local;
  char name[NI_MAXHOST] = "";
  const bool known = descriptor >= 0 &&
                     ::connect(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
                     ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &length) == 0 &&
                     ::getnameinfo(reinterpret_cast<const sockaddr*>(&local), length, name,
                                   sizeof name, nullptr, 0, NI_NUMERICHOST) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!known)
    throw Error(fmt::format(
        "training by several processes: no way from here to '{}', the address of rank 0",
        text::printable(host)));
  return name;
}

/// LibTorch's warnings about retries say nothing that an error here does not say. Not by way of the
/// environment: other threads read it.
bool quieten() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_ERROR;
  return true;
}

}  // namespace

struct Communicator::Impl {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> host, gpu;
  std::chrono::seconds deadline{0};
  std::unique_ptr<PeerWatch> watch;

  c10d::Backend& of(const at::Tensor& tensor) { return tensor.is_cpu() ? *host : *gpu; }
  [[noreturn]] void lost(const std::exception& error) {
    throw Error(
        fmt::format("training by several processes ends: {}", watch->verdict(first_line(error))));
  }
  void wait(const c10::intrusive_ptr<c10d::Work>& work) {
    try {
      work->wait();
    } catch (const std::exception& error) {
      lost(error);
    }
  }
  template <class Call>
  void run(const Call& call) {
    wait(start(call));
  }
  template <class Call>
  c10::intrusive_ptr<c10d::Work> start(const Call& call) {
    watch->progress();
    try {
      return call();
    } catch (const std::exception& error) {
      lost(error);
    }
  }
};

struct Communicator::Pending::Impl {
  Communicator::Impl* owner = nullptr;
  c10::intrusive_ptr<c10d::Work> work;
  std::vector<at::Tensor> tensors;  ///< alive as long as the sum is under way
};

Communicator::Communicator(const run::World& world) : world_(world) {}
Communicator::~Communicator() = default;

std::unique_ptr<Communicator> Communicator::join(const run::World& world,
                                                 std::chrono::seconds deadline) {
  if (world.alone()) return alone();
  [[maybe_unused]] static const bool quiet = quieten();
  std::unique_ptr<Communicator> result(new Communicator(world));
  result->impl_ = std::make_unique<Impl>();
  Impl& impl = *result->impl_;
  impl.deadline = deadline;
  try {
    c10d::TCPStoreOptions options;
    options.port = world.port;
    options.isServer = world.rank == 0;
    options.numWorkers = static_cast<std::size_t>(world.size);
    options.waitWorkers = false;
    options.timeout = deadline;
    impl.store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
    impl.store->set(fmt::format("here/{}", world.rank), std::string("1"));
  } catch (const std::exception& error) {
    throw Error(fmt::format(
        "training by several processes: rank {} could not {} port {} of '{}' within {} s: {}",
        world.rank, world.rank == 0 ? "listen at" : "reach", world.port,
        text::printable(world.address), deadline.count(), first_line(error)));
  }
  for (int rank = 0; rank < world.size; ++rank) {
    try {
      impl.store->wait({fmt::format("here/{}", rank)}, deadline);
    } catch (const std::exception&) {
      throw Error(
          fmt::format("training by several processes: rank {} of {} did not come within {} s", rank,
                      world.size, deadline.count()));
    }
  }
  impl.watch = std::make_unique<PeerWatch>(impl.store, world.rank, world.size);
  const auto options = c10d::ProcessGroupGloo::Options::create(deadline);
  options->devices.push_back(
      c10d::ProcessGroupGloo::createDeviceForHostname(own_address(world.address, world.port)));
  try {
    impl.host =
        c10::make_intrusive<c10d::ProcessGroupGloo>(impl.store, world.rank, world.size, options);
  } catch (const std::exception& error) {
    impl.lost(error);
  }
  return result;
}

void Communicator::use(at::Device device) {
  if (!impl_ || device.is_cpu()) return;
  std::string why;
  const nn::GpuApi* api = nn::gpu_api(why);
  if (api == nullptr) throw Error(fmt::format("training by several processes on GPUs: {}", why));
  impl_->gpu = api->nccl(c10::make_intrusive<c10d::PrefixStore>("nccl", impl_->store), rank(),
                         size(), impl_->deadline);
}

void Communicator::sum(at::Tensor& values) {
  if (!impl_) return;
  std::vector<at::Tensor> tensors{values};
  impl_->run([&] { return impl_->of(values).allreduce(tensors); });
}

Communicator::Pending Communicator::sum_later(const at::Tensor& values) {
  auto pending = std::make_shared<Pending::Impl>();
  if (!impl_) return Pending(pending);
  pending->owner = impl_.get();
  pending->tensors = {values};
  pending->work = impl_->start([&] { return impl_->of(values).allreduce(pending->tensors); });
  return Pending(pending);
}

void Communicator::Pending::wait() {
  if (impl_->owner != nullptr && impl_->work) impl_->owner->wait(impl_->work);
}

at::Tensor Communicator::gather(const at::Tensor& values) {
  if (!impl_) return values.unsqueeze(0);
  std::vector<std::vector<at::Tensor>> outputs(1);
  for (int rank = 0; rank < size(); ++rank) outputs[0].push_back(at::empty_like(values));
  std::vector<at::Tensor> inputs{values};
  impl_->run([&] { return impl_->of(values).allgather(outputs, inputs); });
  return at::stack(outputs[0]);
}

std::vector<std::string> Communicator::gather(const std::string& bytes) {
  if (!impl_) return {bytes};
  const at::Tensor sizes =
      gather(at::full({1}, static_cast<std::int64_t>(bytes.size()), at::kLong)).reshape(-1);
  const std::int64_t most = std::max<std::int64_t>(sizes.max().item<std::int64_t>(), 1);
  at::Tensor padded = at::zeros({most}, at::kByte);
  std::memcpy(padded.mutable_data_ptr(), bytes.data(), bytes.size());
  const at::Tensor all = gather(padded);
  std::vector<std::string> result;
  for (int rank = 0; rank < size(); ++rank)
    result.emplace_back(static_cast<const char*>(all[rank].const_data_ptr()),
                        static_cast<std::size_t>(sizes[rank].item<std::int64_t>()));
  return result;
}

std::string Communicator::from_first(const std::string& bytes) {
  if (!impl_) return bytes;
  at::Tensor length = at::full({1}, static_cast<std::int64_t>(bytes.size()), at::kLong);
  copy_from_first({length});
  at::Tensor content = at::zeros({length.item<std::int64_t>()}, at::kByte);
  if (rank() == 0) std::memcpy(content.mutable_data_ptr(), bytes.data(), bytes.size());
  if (content.numel() > 0) copy_from_first({content});
  return std::string(static_cast<const char*>(content.const_data_ptr()),
                     static_cast<std::size_t>(content.numel()));
}

void Communicator::copy_from_first(const std::vector<at::Tensor>& tensors) {
  if (!impl_) return;
  at::NoGradGuard no_gradient;
  for (at::Tensor tensor : tensors) {
    std::vector<at::Tensor> one{tensor.detach().contiguous()};
    impl_->run([&] { return impl_->of(tensor).broadcast(one); });
    if (rank() != 0 && !one[0].is_same(tensor)) tensor.copy_(one[0]);
  }
}

void Communicator::fail(const std::string& message) noexcept {
  if (!impl_ || !impl_->watch) return;
  try {
    impl_->watch->announce(fmt::format("rank {} of {} ended: {}", rank(), size(), message));
  } catch (const std::exception&) {
    // Then the others find out by the closed connection.
  }
}

#else

struct Communicator::Impl {};
struct Communicator::Pending::Impl {};
Communicator::Communicator(const run::World& world) : world_(world) {}
Communicator::~Communicator() = default;
std::unique_ptr<Communicator> Communicator::join(const run::World& world, std::chrono::seconds) {
  if (world.alone()) return alone();
  throw Error(
      "training by several processes: this build has no Gloo (cmake found no headers: install "
      "libgloo-dev and build again)");
}
void Communicator::use(at::Device) {}
void Communicator::sum(at::Tensor&) {}
Communicator::Pending Communicator::sum_later(const at::Tensor&) { return Pending(nullptr); }
void Communicator::Pending::wait() {}
at::Tensor Communicator::gather(const at::Tensor& values) { return values.unsqueeze(0); }
std::vector<std::string> Communicator::gather(const std::string& bytes) { return {bytes}; }
std::string Communicator::from_first(const std::string& bytes) { return bytes; }
void Communicator::copy_from_first(const std::vector<at::Tensor>&) {}
void Communicator::fail(const std::string&) noexcept {}

#endif

}  // namespace yolov7::training
