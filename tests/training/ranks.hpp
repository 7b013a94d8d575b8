#pragma once
// Several ranks in one process, each a thread with a communicator of its own: what c10d sees is
// what it sees of several processes.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "training/distributed/communicator.hpp"

namespace yolov7::training {

inline std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

/// LibTorch keeps a record of all collectives of a process, and ranks that are threads write it
/// unguarded: one run in five of many died in it. Set before main: a change of the environment
/// while a thread reads it is undefined.
inline const int no_record_of_collectives = ::setenv("TORCH_FR_BUFFER_SIZE", "0", 1);

/// body(communicator) in every rank; the first exception of any is thrown again.
inline void run_ranks(int count, const std::function<void(Communicator&)>& body,
                      std::chrono::seconds deadline = std::chrono::seconds(60)) {
  const std::uint16_t port = free_port();
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(count));
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < count; ++rank)
      threads.emplace_back([&, rank] {
        try {
          at::set_num_threads(1);
          const auto group =
              Communicator::join({rank, count, rank, count, "127.0.0.1", port}, deadline);
          body(*group);
          group->any(false);  // nobody leaves before the last one is done
        } catch (...) {
          failures[static_cast<std::size_t>(rank)] = std::current_exception();
        }
      });
  }
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace yolov7::training
