// server/runtime/runtime_impl: the Asio objects of the runtime, for the sources that use Asio.
#pragma once

#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "server/runtime/runtime.h"

namespace usher::server {

struct Runtime::Impl {
  explicit Impl(unsigned threads_) : threads(threads_), context(static_cast<int>(threads_)) {}
  unsigned threads;
  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::jthread> running;
};

}  // namespace usher::server
