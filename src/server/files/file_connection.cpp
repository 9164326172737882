#include "server/files/file_connection.h"

#include <openssl/err.h>
#include <boost/asio/post.hpp>

namespace usher::server {
namespace asio = boost::asio;
FileConnection::FileConnection(FileShared& shared, FileLoop& loop, Descriptor socket, std::string address,
                               std::string counted)
    : shared_(shared),
      loop_(loop),
      socket_(loop.context),
      taken_(std::move(socket)),
      place_(loop.connections.end()),
      bios_(loop),
      address_(std::move(address)),
      counted_(std::move(counted)),
      deadline_(in_time(shared.limits.handshake_time)) {}

FileConnection::~FileConnection() {
  --shared_.open;
  const std::scoped_lock lock(shared_.mutex);
  const auto of_address = shared_.by_address.find(counted_);
  if (of_address != shared_.by_address.end() && --of_address->second == 0) shared_.by_address.erase(of_address);
}

void FileConnection::start() {
  place_ = loop_.connections.insert(loop_.connections.end(), shared_from_this());
  boost::system::error_code error;
  error = socket_.assign(taken_.get(), error);
  if (!error) static_cast<void>(taken_.release());
  contexts_ = snapshot()->contexts;
  auto connection = contexts_->connect(*this);
  if (error || !connection || !bios_.connect(connection->get(), socket_.native_handle(), shared_.kernel_tls)) {
    shared_.log.error("file connection failed", {{"peer", address_}});
    close();
    return;
  }
  tls_ = *std::move(connection);
  // A worker gets the handshake only once there is something to read.
  contexts_->may_block() ? wait(asio::posix::descriptor_base::wait_read) : run();
}

void FileConnection::wait(asio::posix::descriptor_base::wait_type what) {
  socket_.async_wait(what, [self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->run();
  });
}

void FileConnection::run() {
  const auto self = shared_from_this();  // close() drops the loop's reference
  Step next = Step::again;
  while (next == Step::again && state_ != State::closed) next = step();
  if (state_ == State::closed) return;
  // Send the gathered output before another connection uses the buffer, and before waiting for the peer's answer.
  const Sent sent = flush();
  if (sent == Sent::broken) {
    if (request_) report(code_of(Fault::interrupted));
    close();
  } else if (next == Step::later) {
    asio::post(loop_.context, [self] { self->run(); });
  } else if (next == Step::wait_write || (next == Step::wait_read && sent == Sent::some)) {
    wait(asio::posix::descriptor_base::wait_write);
  } else if (next == Step::wait_read) {
    wait(asio::posix::descriptor_base::wait_read);
  }
}

FileConnection::Step FileConnection::step() {
  if (!unsent_.empty()) {
    const Sent sent = flush();
    if (sent == Sent::some) return Step::wait_write;
    if (sent == Sent::broken) return break_off({Fault::interrupted, "file stream: send"});
  }
  switch (state_) {
    case State::handshake:
      return shake_hands();
    case State::line:
      return read_line();
    case State::answering:
      return send_answer();
    case State::closing:
      return end_gently();
    case State::lingering:
      return linger();
    case State::shaking:
    case State::working:
    case State::refusing:
    case State::closed:
      return Step::stop;  // resumed later by a worker or a timer
  }
  return Step::stop;
}

// --- the line

FileConnection::Step FileConnection::read_line() {
  const std::size_t had = line_.size();
  line_.resize(wire::kMaxFileLine);
  ERR_clear_error();
  std::size_t got = 0;
  const int done = SSL_read_ex(tls_.get(), line_.data() + had, line_.size() - had, &got);
  line_.resize(had + (done == 1 ? got : 0));
  if (done != 1) {
    const int code = SSL_get_error(tls_.get(), done);
    ERR_clear_error();
    if (code == SSL_ERROR_WANT_READ) {
      line_.shrink_to_fit();  // many connections wait here
      return Step::wait_read;
    }
    begun_ = Steady::now();
    return refuse({Fault::interrupted, "file request: end before LF"});
  }
  const std::size_t end = line_.find('\n', had);
  if (end == std::string::npos && line_.size() < wire::kMaxFileLine) return Step::again;
  begun_ = Steady::now();
  const std::string line = std::exchange(line_, {});
  if (end == std::string::npos) return refuse({Fault::too_long, "file request"});
  return take_line(std::string_view(line).substr(0, end));
}

FileConnection::Step FileConnection::take_line(std::string_view line) {
  auto request = wire::decode_file_request(line);
  if (!request) return refuse(request.error());
  request_ = std::make_unique<wire::FileRequest>(*std::move(request));
  // After a reload during the handshake, verify_again() may still wait in the loop's queue. Do not rely on it.
  if (const auto now = snapshot(); now->clients != judged_by_) verify_again(*now);
  return state_ == State::closed ? Step::stop : begin(*request_);
}

FileConnection::Step FileConnection::begin(const wire::FileRequest& request) {
  deadline_ = Steady::time_point::max();
  if (const auto* list = std::get_if<wire::ListFiles>(&request)) {
    begin_working();
    return ask_for_list(list->prefix);
  }
  auto file = snapshot()->shares->open_file(wire::argument_of(request), client_.peer->certificate());
  if (!file) return refuse(file.error());
  if (!std::holds_alternative<wire::GetFile>(request) && !std::holds_alternative<wire::GetFileFrom>(request)) {
    begin_working();
    ask_for_digest(*file);
    return Step::stop;
  }
  // §5.2: a medium is never sent in the clear.
  if ((*file)->medium) return refuse({Fault::not_permitted, "share: a medium is served sealed"});
  const auto* from = std::get_if<wire::GetFileFrom>(&request);
  auto answer = answer_with_file(*std::move(file), from == nullptr ? 0 : from->offset);
  if (!answer) return refuse(answer.error());
  answer_ = *std::move(answer);
  state_ = State::answering;
  deadline_ = in_time(shared_.limits.stall_time);
  return Step::again;
}

}  // namespace usher::server
